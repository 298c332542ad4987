"use strict";
(() => {
  const { figures, axes, texts } = JSON.parse(document.getElementById("plots-data").textContent);
  const unpack = (trace) => {
    if (trace.type === "heatmap") return trace;
    return { ...trace, x: axes[trace.x], text: trace.text?.map((number) => texts[number]) };
  };
  const touch = matchMedia("(pointer: coarse)").matches;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const look = () => {
    const axis = { gridcolor: colour("--line"), linecolor: colour("--line"), zerolinecolor: colour("--line") };
    const theme = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      "font.color": colour("--text"),
      "font.family": "system-ui, sans-serif",
      "hoverlabel.bgcolor": colour("--card"),
      "hoverlabel.bordercolor": colour("--quiet"),
      "hoverlabel.font.color": colour("--text"),
      "xaxis.rangeselector.bgcolor": colour("--back"),
      "xaxis.rangeselector.activecolor": colour("--line"),
    };
    for (const [key, value] of Object.entries(axis)) {
      theme["xaxis." + key] = theme["yaxis." + key] = value;
    }
    return theme;
  };

  const each = (act) => Promise.all(Object.keys(figures).map((name) => act(document.getElementById(name), figures[name])));
  const relayout = (more) => each((place) => Plotly.relayout(place, { ...look(), ...more }));

  const put = (layout, path, value) => {
    const keys = path.split(".");
    const last = keys.pop();
    keys.reduce((part, key) => (part[key] ??= {}), layout)[last] = value;
  };

  // A finger on a plot scrolls the page; a mouse zooms. Plotly's tool bar would lie over the zoom buttons.
  const config = { responsive: true, displayModeBar: false };
  each((place, { data, layout }) => {
    for (const [path, value] of Object.entries({ ...look(), dragmode: touch ? false : "zoom" })) put(layout, path, value);
    return Plotly.newPlot(place, data.map(unpack), layout, config);
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => relayout({}));
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("paper");
    relayout({ width: 680 });
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("paper");
    relayout({ width: null });
  });
})();
