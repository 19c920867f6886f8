// Draws the six kinds of figures with Plotly: series of named columns in, traces and a layout out.
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (agent) => (agent === null || agent === undefined ? style("--ink") : style(`--c${agent % 12}`));
const narrow = () => window.innerWidth < 700;
// Plotly reads some mark-up in texts: names are data, not mark-up.
const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const clear = (hex, alpha) => {
  const n = parseInt(hex.slice(1), 16);
  return `rgba(${n >> 16}, ${(n >> 8) & 255}, ${n & 255}, ${alpha})`;
};
const shorten = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);

function axis(extra) {
  return {
    gridcolor: style("--grid"), linecolor: style("--line"), zeroline: false, tickfont: { color: style("--soft"), size: 12 },
    automargin: true, ...extra, title: { text: plain(extra.title || ""), font: { color: style("--soft"), size: 13 }, standoff: 12 },
  };
}

function logAxis(extra) {
  return axis({ type: "log", dtick: 1, exponentformat: "power", tickangle: 0, minor: { showgrid: false },
    tickfont: { color: style("--soft"), size: extra.tickformat ? 12 : 10 }, ...extra }); // powers are drawn larger
}

function base(height, extra) {
  return {
    height, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: getComputedStyle(document.body).fontFamily,
      color: style("--ink"), size: 13 },
    margin: narrow() ? { l: 46, r: 12, t: 12, b: 50 } : { l: 64, r: 22, t: 18, b: 56 }, hoverlabel: { bgcolor: style("--card"),
      bordercolor: style("--line"), font: { color: style("--ink"), size: 12 }, align: "left" },
    showlegend: false, hovermode: "closest",
    barcornerradius: 3, modebar: { bgcolor: "rgba(0,0,0,0)", color: style("--soft"), activecolor: style("--accent") },
    dragmode: narrow() ? false : "zoom", ...extra,
  };
}

// Places the dots of a strip side by side where they would lie on each other: offsets across the strip, at most 0.38.
function swarm(places, bins) {
  const seen = new Map();
  const ranks = places.map((place) => {
    const bin = Math.round(place * bins);
    const rank = seen.get(bin) || 0;
    seen.set(bin, rank + 1);
    return rank;
  });
  const most = Math.max(1, ...seen.values());
  const step = Math.min(0.09, 0.74 / most);
  return ranks.map((rank) => (rank % 2 ? 1 : -1) * Math.ceil(rank / 2) * step);
}

function strip(figure, data) {
  const { value, axis: title, floor, edge } = figure.options;
  const traces = [], rows = figure.series.length, labels = [];
  const all = figure.series.flatMap((series) => series.columns[value]).filter((v) => v !== null);
  const log = floor !== null || (all.every((v) => v > 0) && Math.max(...all) > 10 * Math.min(...all));
  const shown = (v) => (floor !== null ? v + floor : v);
  const lowest = floor !== null ? floor : Math.min(...all), highest = floor !== null ? 1 : Math.max(...all);
  const scale = (v) => (log ? Math.log10(v) : v);
  const span = scale(highest) - scale(lowest) || 1;
  figure.series.forEach((series, index) => {
    const c = series.columns, tint = colour(series.agent), y = rows - 1 - index;
    labels.push([y, series.name]);
    const words = (i) => {
      const ticket = c.ticket[i];
      const settings = ((data.tickets[series.name] || {})[ticket] || "").split(", ").join("<br>");
      const seed = c.seed ? `, seed ${c.seed[i]}` : "";
      return `<b>${plain(series.name)}</b> ${plain(ticket)}${seed}<br>${plain(value)}: ${c[value][i] === null ? "none" : c[value][i]}` +
        `<br>${settings.split("<br>").map(plain).join("<br>")}`;
    };
    const there = c[value].map((v, i) => i).filter((i) => c[value][i] !== null);
    const dots = there.filter((i) => !(edge && c[value][i] === 0) && !c.mark[i]);
    const places = dots.map((i) => (scale(shown(c[value][i])) - scale(lowest)) / span);
    const offsets = swarm(places, narrow() ? 60 : 130);
    traces.push({ type: "scatter", mode: "markers", x: dots.map((i) => shown(c[value][i])), y: offsets.map((o) => y + o), xaxis: "x2",
      marker: { color: clear(tint, 0.55), size: narrow() ? 5 : 7, line: { width: 0 } }, text: dots.map(words),
      hovertemplate: "%{text}<extra></extra>", showlegend: false, cliponaxis: false });
    for (const [mark, symbol, name] of [["default", "diamond", "default settings"], ["best", "star", "best ticket"]]) {
      const own = there.filter((i) => c.mark[i] === mark);
      traces.push({ type: "scatter", mode: "markers", x: own.map((i) => shown(c[value][i])), y: own.map(() => y - (mark === "best" ? 0 : 0.3)), xaxis: "x2",
        marker: { symbol, color: mark === "best" ? tint : style("--card"), size: mark === "best" ? 15 : 12,
          line: { color: mark === "best" ? style("--card") : style("--ink"), width: mark === "best" ? 1 : 1.8 } }, text: own.map(words),
        hovertemplate: `${name}: %{text}<extra></extra>`, showlegend: false, cliponaxis: false });
    }
    if (edge) {
      const tickets = there.filter((i) => c.mark[i] !== "default");
      const base = tickets.length ? tickets : there;
      const every = base.filter((i) => c.worst_seed[i] === 0).length, median = base.filter((i) => c[value][i] === 0).length;
      const bar = (x, opacity, name, text) => ({ type: "bar", orientation: "h", x: [x], y: [y], width: 0.5, marker: { color: clear(tint, opacity) },
        hovertemplate: `<b>${plain(series.name)}</b><br>${name}<extra></extra>`, showlegend: false, text: [text], textposition: "none" });
      traces.push(bar(every / base.length, 0.95, `${every} of ${base.length} tickets: optimal with every seed`));
      traces.push(bar((median - every) / base.length, 0.4, `${median} of ${base.length} tickets: median is optimal`));
      traces.push({ type: "scatter", mode: "text", x: [1], y: [y], text: [` ${median} of ${base.length}`],
        textposition: "middle right", textfont: { size: 11, color: style("--soft") },
        hoverinfo: "skip", showlegend: false, cliponaxis: false });
    }
  });
  const shapes = edge ? [{ type: "line", xref: "x2", x0: lowest, x1: lowest, yref: "paper", y0: 0, y1: 1,
    line: { color: style("--good"), width: 2 } }] : [];
  const left = edge ? (narrow() ? 0.16 : 0.13) : 0, gap = narrow() ? 0.2 : 0.12;
  const names = narrow() ? labels.map(([y, name]) => ({ xref: "paper", x: 0, y: y + 0.36, yanchor: "bottom", xanchor: "left", showarrow: false,
    text: plain(shorten(name, 40)), font: { color: style("--ink"), size: 12 } })) : [];
  const make = log ? logAxis : axis;
  const range = log ? [Math.log10(lowest) - 0.02 * span, Math.log10(highest) + 0.04 * span] : [lowest - 0.04 * span, highest + 0.04 * span];
  const legend = figure.options.tickets ? [{ name: "default settings", glyph: "\u25c7" }, { name: "best ticket", glyph: "\u2605" }] : [];
  return { traces, legend, layout: base(110 + rows * (narrow() ? 70 : 58), {
    barmode: "stack", shapes,
    annotations: [...names, ...(edge ? [{ xref: "x2", x: Math.log10(lowest), yref: "paper", y: 1, yanchor: "bottom", xanchor: "center", showarrow: false,
      text: "optimum", font: { color: style("--good"), size: 12 } }] : [])],
    xaxis: axis({ domain: [0, left || 0.001], range: [0, 1], tickformat: ".0%", tickvals: narrow() ? [] : [0, 1], visible: edge, title: edge && !narrow() ? "at the optimum" : "", fixedrange: true }),
    xaxis2: make({ domain: [edge ? left + gap : 0, 1], range, title: narrow() ? shorten(title, 44) : title, anchor: "y" }),
    yaxis: axis({ tickvals: labels.map((l) => l[0]), ticktext: labels.map((l) => plain(shorten(l[1], 26))), range: [-0.6, rows - (narrow() ? 0.2 : 0.4)], showgrid: false, showticklabels: !narrow(), fixedrange: true }),
    margin: narrow() ? { l: 6, r: 10, t: 24, b: 50 } : { l: 64, r: 22, t: 28, b: 56 },
  }) };
}

function lines(figure) {
  const o = figure.options, traces = [];
  for (const series of figure.series) {
    const c = series.columns, tint = colour(series.agent), x = c[o.x], dashed = series.role === "reference";
    if (c.low && !o.faint) {
      const keep = x.map((_, i) => i).filter((i) => c.low[i] !== null && c.high[i] !== null);
      traces.push({ type: "scatter", mode: "lines", x: [...keep.map((i) => x[i]), ...[...keep].reverse().map((i) => x[i])],
        y: [...keep.map((i) => c.high[i]), ...[...keep].reverse().map((i) => c.low[i])], fill: "toself", fillcolor: clear(tint, 0.14),
        line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: series.name });
    }
    const between = c.low ? x.map((_, i) => (c.low[i] === null ? "" : `<br>${c.low[i]} to ${c.high[i]}`)) : x.map(() => "");
    traces.push({ type: "scatter", mode: o.markers || x.length < 4 ? "lines+markers" : "lines", x, y: c.value, name: plain(series.name), legendgroup: series.name,
      line: { color: dashed ? style("--soft") : tint, width: dashed ? 1.6 : 2.4, dash: dashed ? "dash" : "solid", shape: o.step ? "hv" : "linear" },
      marker: { size: 7 }, customdata: between, hovertemplate: "%{fullData.name}<br>%{x}: %{y}%{customdata}<extra></extra>" });
  }
  const xaxis = (o.x_log ? logAxis : axis)({ title: o.x_title, ...(o.x === "designs" ? { tickformat: "~s" } : {}), ...(o.x_percent ? { tickformat: "~p" } : {}) });
  const yaxis = (o.y_log ? logAxis : axis)({ title: o.y_title });
  if (o.y_range) yaxis.range = o.y_range;
  if (o.y_reversed) yaxis.autorange = "reversed";
  return { traces, layout: base(narrow() ? 430 : 480, { xaxis, yaxis }) };
}

function bars(figure) {
  const o = figure.options, traces = [];
  figure.series.forEach((series) => {
    const c = series.columns, names = c[o.label].map((name) => plain(shorten(name, narrow() ? 14 : 30)));
    const tint = series.role ? style(`--${series.role}`) : (o.agents || []).map(colour);
    traces.push({ type: "bar", orientation: "h", y: names, x: c[o.value], name: plain(series.name), marker: { color: tint }, showlegend: Boolean(series.role),
      width: figure.series[0].columns[o.label].length < 3 ? 0.4 : undefined,
      error_x: c.low ? { type: "data", symmetric: false, array: c.high.map((h, i) => Math.max(h - c[o.value][i], 0)), color: style("--ink"),
        arrayminus: c.low.map((l, i) => Math.max(c[o.value][i] - l, 0)), thickness: 1.4, width: 4 } : undefined,
      hovertemplate: "%{y}: %{x}<extra>%{fullData.name}</extra>" });
  });
  const count = figure.series[0].columns[o.label].length;
  return { traces, layout: base(130 + count * 38, { barmode: "stack", xaxis: axis({ title: o.axis, tickformat: o.percent ? ".0%" : undefined, range: o.range, tickangle: 0, nticks: narrow() ? 4 : undefined }),
    yaxis: axis({ autorange: "reversed", showgrid: false, fixedrange: true }) }) };
}

function matrix(figure) {
  const c = figure.series[0].columns, order = figure.options.order, at = new Map(order.map((name, i) => [name, i]));
  const z = order.map(() => order.map(() => null)), text = order.map(() => order.map(() => "")), hover = order.map(() => order.map(() => ""));
  c.chance.forEach((chance, i) => {
    const row = at.get(c.row[i]), column = at.get(c.column[i]);
    z[row][column] = chance;
    text[row][column] = `${chance.toFixed(2)}${c.mark[i]}`;
    const range = c.low ? `95 %: ${c.low[i]} to ${c.high[i]}, p (Holm) ${c.p_holm[i]}` : `from ${c.least[i]} to ${c.most[i]} over ${c.tasks[i]} tasks`;
    hover[row][column] = `${plain(c.row[i])} beats ${plain(c.column[i])}: ${chance.toFixed(3)}<br>${range}`;
  });
  const names = order.map((name) => plain(shorten(name, narrow() ? 11 : 24)));
  const scale = [[0, style("--c1")], [0.5, style("--card")], [1, style("--c0")]];
  return { traces: [{ type: "heatmap", z, x: order.map((_, i) => i), y: order.map((_, i) => i), text, texttemplate: "%{text}", customdata: hover,
    hovertemplate: "%{customdata}<extra></extra>", hoverongaps: false, zmin: 0, zmax: 1, colorscale: scale, xgap: 3, ygap: 3, showscale: false,
    textfont: { size: narrow() ? 10 : 13, color: style("--ink") } }],
  layout: base(130 + order.length * (narrow() ? 40 : 52), { margin: { l: 46, r: narrow() ? 44 : 30, t: 20, b: 16 },
    xaxis: axis({ side: "top", tickvals: order.map((_, i) => i), ticktext: names, showgrid: false, tickangle: narrow() ? -60 : -20, fixedrange: true }),
    yaxis: axis({ autorange: "reversed", tickvals: order.map((_, i) => i), ticktext: names, showgrid: false, fixedrange: true }),
  }) };
}

function points(figure) {
  const { x, y } = figure.options;
  const traces = figure.series.map((series) => ({ type: "scatter", name: plain(series.name), x: series.columns[x], y: series.columns[y],
    mode: series.role === "front" ? "lines+markers" : "markers", line: { color: style("--ink"), width: 1.6, shape: "hv" },
    marker: { color: series.role === "front" ? style("--ink") : clear(colour(series.agent), 0.6), size: series.role === "front" ? 5 : narrow() ? 5 : 7 },
    hovertemplate: `%{fullData.name}<br>${plain(x)}: %{x}<br>${plain(y)}: %{y}<extra></extra>` }));
  const across = (name, title) => (wide(name) ? logAxis : axis)({ title, dtick: undefined });
  const wide = (name) => {
    const all = figure.series.flatMap((series) => series.columns[name]).filter((v) => v !== null);
    return all.length && all.every((v) => v > 0) && Math.max(...all) > 50 * Math.min(...all);
  };
  return { traces, layout: base(narrow() ? 420 : 500, { xaxis: across(x, x), yaxis: across(y, y) }) };
}

function parallel(figure) {
  const { parameters, levels } = figure.options, rows = parameters.length, traces = [];
  const place = (name, value) => {
    const held = levels[parameters.indexOf(name)], i = held.indexOf(String(value));
    return held.length > 1 ? i / (held.length - 1) : 0.5;
  };
  const total = figure.series.reduce((sum, series) => sum + series.columns.score.length, 0);
  let number = 0;
  for (const series of figure.series) {
    const x = [], y = [], text = [];
    series.columns.score.forEach((score, i) => {
      const shift = (number++ / Math.max(total - 1, 1) - 0.5) * 0.05;
      parameters.forEach((name, row) => {
        x.push(place(name, series.columns[name][i]) + shift);
        y.push(rows - 1 - row);
        text.push(`<b>${plain(series.name)}</b>, score ${score}<br>` + parameters.map((each) => `${plain(each)}: ${plain(series.columns[each][i])}`).join("<br>"));
      });
      x.push(null); y.push(null); text.push("");
    });
    traces.push({ type: "scatter", mode: "lines+markers", x, y, text, name: plain(series.name), hovertemplate: "%{text}<extra></extra>",
      line: { color: clear(colour(series.agent), 0.4), width: 1.3 }, marker: { size: 5, color: clear(colour(series.agent), 0.7) } });
  }
  const most = narrow() ? 4 : 12, annotations = [];
  if (narrow()) parameters.forEach((name, row) => annotations.push({ xref: "paper", x: 0, y: rows - 1 - row, yshift: 30, xanchor: "left", showarrow: false,
    text: `<b>${plain(shorten(name, 40))}</b>`, font: { size: 11 } }));
  parameters.forEach((name, row) => levels[row].forEach((value, i) => {
    const every = Math.ceil(levels[row].length / most);
    if (i % every === 0 || i === levels[row].length - 1) {
      annotations.push({ x: levels[row].length > 1 ? i / (levels[row].length - 1) : 0.5, y: rows - 1 - row, yshift: 15, showarrow: false,
        text: plain(shorten(value, narrow() ? 11 : 18)), xanchor: i && levels[row].length > 1 && i === levels[row].length - 1 ? "right" : i ? "center" : "left", font: { size: narrow() ? 9 : 11, color: style("--soft") } });
    }
  }));
  return { traces, layout: base(80 + rows * (narrow() ? 64 : 50), { annotations, margin: { l: narrow() ? 6 : 64, r: 10, t: 20, b: 12 }, xaxis: axis({ visible: false, range: [-0.07, 1.07] }),
    yaxis: axis({ tickvals: parameters.map((_, i) => rows - 1 - i), ticktext: parameters.map((name) => plain(shorten(name, 30))), showticklabels: !narrow(), range: [-0.5, rows - (narrow() ? 0.2 : 0.4)] }) }) };
}

const KINDS = { strip, lines, bars, matrix, points, parallel };
