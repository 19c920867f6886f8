// Builds the page from its data: contents, sections with selectors, tables, CSV files, and the switch between light and dark.
const data = JSON.parse(document.getElementById("data").textContent);
const remembered = (() => { try { return JSON.parse(sessionStorage.getItem("archgym-report")) || {}; } catch { return {}; } })();
const remember = (key, value) => {
  remembered[key] = value;
  try { sessionStorage.setItem("archgym-report", JSON.stringify(remembered)); } catch { /* a page from a file may have no storage */ }
};
const drawn = new Set();

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made[key] = value;
  made.append(...children);
  return made;
}

function cell(value) {
  if (value === null || value === undefined) return "";
  const text = String(value);
  // A text that starts like a formula would be run by a spreadsheet.
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

function download(name, columns, rows) {
  const text = [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  const link = element("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  return text;
}

const fileName = (...words) => words.filter(Boolean).join(" ").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") + ".csv";

function figureRows(figure) {
  const names = [...new Set(figure.series.flatMap((series) => Object.keys(series.columns)))];
  const rows = figure.series.flatMap((series) => {
    const columns = Object.values(series.columns), length = Math.max(0, ...columns.map((column) => column.length));
    return Array.from({ length }, (_, i) => [series.name, ...names.map((name) => (series.columns[name] || [])[i])]);
  });
  return { columns: ["series", ...names], rows };
}

function number(value) {
  if (typeof value !== "number") return value === null ? "" : value;
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2);
  return size >= 1000 ? value.toLocaleString("en", { maximumFractionDigits: 0 }) : String(Number(value.toPrecision(4)));
}

function tableBox(table, section) {
  const numeric = table.columns.map((_, i) => table.rows.some((row) => typeof row[i] === "number"));
  const head = element("tr", {}, ...table.columns.map((name, i) => element("th", { textContent: name, className: numeric[i] ? "number" : "" })));
  const body = table.rows.map((row) => element("tr", {}, ...row.map((value, i) =>
    element("td", { textContent: number(value), className: numeric[i] ? "number" : String(value).length > 44 ? "long" : "" }))));
  const save = element("button", { type: "button", textContent: "CSV", title: "Download this table" });
  save.onclick = () => download(fileName(section.key, table.title, ...table.path), table.columns, table.rows);
  return element("div", { className: "table" }, element("div", { className: "head" }, element("h3", { textContent: table.title }), save),
    element("div", { className: "scroll", tabIndex: 0 }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body))),
    ...(table.note ? [element("p", { className: "note", textContent: table.note })] : []));
}

// One chip per name; a click hides and shows what bears it.
function legendBox(box, traces, fixed) {
  const chips = (fixed || []).map(({ name, glyph }) => element("span", { className: "chip" }, element("i", { textContent: glyph }), name));
  for (const trace of traces.filter((each) => each.name && each.showlegend !== false)) {
    const tint = String(trace.line && trace.mode !== "markers" ? trace.line.color : trace.marker.color);
    const mark = element("i", { className: trace.type === "bar" || trace.mode === "markers" ? "dot" : trace.line.dash === "dash" ? "dash" : "line" });
    mark.style.color = tint.replace(/, 0?\.\d+\)/, ", 1)");
    const words = trace.name.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
    const chip = element("button", { type: "button", className: "chip", title: "Hide or show" }, mark, words);
    chip.onclick = () => {
      const off = chip.classList.toggle("off");
      const same = traces.map((each, i) => i).filter((i) => traces[i] === trace || (trace.legendgroup && traces[i].legendgroup === trace.legendgroup));
      Plotly.restyle(box.nextElementSibling, { visible: !off }, same);
    };
    chips.push(chip);
  }
  box.replaceChildren(...chips);
}

class Part {
  constructor(section) {
    this.section = section;
    this.paths = (section.figures.length ? section.figures : section.tables).map((item) => item.path);
    this.chosen = this.closest((remembered.chosen || {})[section.key] || []);
    this.figure = section.figures.length ? element("div", { className: "figure" }) : null;
    this.legend = element("div", { className: "legend" });
    this.note = element("p", { className: "note" });
    this.tools = element("div", { className: "tools" });
    this.tables = element("div");
    this.box = element("section", { id: section.key }, element("h2", { textContent: section.title }));
    if (section.lead) this.box.append(element("p", { className: "lead", textContent: section.lead }));
    if (section.skip) this.box.append(element("p", { className: "skip", textContent: section.skip }));
    else this.box.append(this.tools, ...(this.figure ? [this.legend, this.figure, this.note] : []), this.tables);
    if (!section.skip) this.show();
  }

  // The existing path that agrees with the wanted one in as many leading places as possible.
  closest(wanted) {
    let left = this.paths;
    (left[0] || []).forEach((_, place) => {
      const same = left.filter((path) => path[place] === wanted[place]);
      const value = same.length ? wanted[place] : left[0][place];
      left = left.filter((path) => path[place] === value);
    });
    return left[0] || [];
  }

  current() {
    return this.section.figures.find((figure) => figure.path.every((word, i) => word === this.chosen[i]));
  }

  show() {
    const { section } = this;
    this.tools.replaceChildren();
    section.selectors.forEach((name, place) => {
      const options = [...new Set(this.paths.filter((path) => path.slice(0, place).every((word, i) => word === this.chosen[i])).map((path) => path[place]))];
      const select = element("select", {}, ...options.map((text) => element("option", { textContent: text, value: text, selected: text === this.chosen[place] })));
      select.disabled = options.length < 2;
      select.onchange = () => this.choose(this.chosen.map((word, i) => (i === place ? select.value : word)));
      this.tools.append(element("label", {}, name, select));
    });
    if (this.figure) {
      const save = element("button", { type: "button", textContent: "CSV", className: "push", title: "Download the data of this figure" });
      save.onclick = () => { const { columns, rows } = figureRows(this.current()); download(fileName(section.key, ...this.chosen), columns, rows); };
      this.tools.append(save);
      this.note.textContent = this.current().note;
      if (drawn.has(this)) this.draw();
    }
    this.tables.replaceChildren(...section.tables.filter((table) => table.path.every((word, i) => word === this.chosen[i])).map((table) => tableBox(table, section)));
  }

  choose(path) {
    this.chosen = this.closest(path);
    remember("chosen", { ...(remembered.chosen || {}), [this.section.key]: this.chosen });
    this.show();
  }

  draw() {
    if (!this.figure) return Promise.resolve();
    drawn.add(this);
    const figure = this.current(), { traces, layout, legend } = KINDS[figure.kind](figure, data);
    legendBox(this.legend, traces, legend);
    this.figure.style.minHeight = `${layout.height}px`;
    const config = { responsive: true, displaylogo: false, displayModeBar: narrow() ? false : "hover", modeBarButtons: [["toImage", "resetScale2d"]],
      toImageButtonOptions: { format: "svg", filename: fileName(this.section.key, ...this.chosen).slice(0, -4) } };
    // Other data get a new plot: ticks that were chosen for the old range would be drawn over the new one.
    const draw = this.drawnFigure === figure ? Plotly.react : Plotly.newPlot;
    this.drawnFigure = figure;
    return draw(this.figure, traces, layout, config).then(() => { this.figure.dataset.drawn = "yes"; });
  }
}

const parts = data.sections.map((section) => new Part(section));
document.getElementById("sections").replaceChildren(...parts.map((part) => part.box));
const links = parts.map((part) => element("a", { href: `#${part.section.key}`, textContent: part.section.title }));
document.getElementById("contents").append(...links);

const coming = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
  coming.unobserve(entry.target);
  parts.find((part) => part.figure === entry.target).draw();
}), { rootMargin: "300px" });
// Words and tables are there before plotly.js, which comes last and is most of the file, has been read.
addEventListener("DOMContentLoaded", () => parts.filter((part) => part.figure && !part.section.skip).forEach((part) => coming.observe(part.figure)));
const reading = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) =>
  links.forEach((link) => link.classList.toggle("here", link.hash === `#${entry.target.id}`))), { rootMargin: "-20% 0px -70% 0px" });
parts.forEach((part) => reading.observe(part.box));

const redraw = () => drawn.forEach((part) => part.draw());
const system = matchMedia("(prefers-color-scheme: dark)");
const applyTheme = () => {
  document.documentElement.dataset.theme = remembered.theme || (system.matches ? "dark" : "light");
  redraw();
};
document.getElementById("theme").onclick = () => {
  remember("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  applyTheme();
};
system.addEventListener("change", applyTheme);
applyTheme();
let width = narrow();
addEventListener("resize", () => { if (narrow() !== width) { width = narrow(); redraw(); } });
addEventListener("beforeprint", () => parts.filter((part) => !part.section.skip).forEach((part) => part.draw()));

if (data.version !== null) {
  document.getElementById("live").hidden = false;
  const ask = () => fetch("version", { cache: "no-store" }).then((answer) => answer.text()).then((text) => {
    if (Number(text) > data.version) location.reload();
  }).catch(() => { document.getElementById("live").textContent = "ended"; });
  setInterval(ask, 2000);
}
