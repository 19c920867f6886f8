// Browsers start no workers for pages that are opened as files. There the search runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      this.ready = new Promise((done) => frame.addEventListener("load", done, { once: true }));
      frame.srcdoc = `<!doctype html><body><script>
        const load = (url) => new Promise((done, failed) => {
          const script = document.createElement("script");
          Object.assign(script, { src: url, onload: done, onerror: failed });
          document.body.append(script);
        });
        window.importScripts = async (...urls) => { for (const url of urls) await load(url); };
        window.postMessage = (data) => frameElement.dispatchEvent(new CustomEvent("answer", { detail: data }));
      </scr` + `ipt><script src="${url}"></scr` + `ipt></body>`;
      frame.addEventListener("answer", (event) => {
        const message = new MessageEvent("message", { data: event.detail });
        this.dispatchEvent(message);
        if (this.onmessage) this.onmessage(message);
      });
      this.frame = frame;
      document.body.append(frame);
    }

    async postMessage(data) {
      await this.ready;
      this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
