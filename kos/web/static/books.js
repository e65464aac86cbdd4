// Profit over time, drawn by uPlot in the colours of the theme.
import { onFact } from "./parts.js";
import { pounds, signed } from "./money.js";

const box = document.getElementById("chart");
const words = document.getElementById("chart-words");
const HEIGHT = 260;
let chart = null;
let series = null;

const colour = (name) => {
  // A probe gives the colour in any theme: a canvas does not support light-dark().
  const probe = document.createElement("span");
  probe.className = `probe ${name}`;
  box.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};

const day = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", day: "numeric", month: "short", year: "numeric" });

const short = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", day: "numeric", month: "short" });
const DAYS = [1, 2, 7, 14, 30, 61, 91, 182, 365];

function draw() {
  chart?.destroy();
  chart = null;
  if (!series?.days.length) {
    words.textContent = "No profit or loss yet.";
    return;
  }
  const last = series.profit.at(-1);
  words.textContent = `${signed(BigInt(last))} from ${day.format(series.days[0] * 1000)} to ${day.format(series.days.at(-1) * 1000)}.`;
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const line = colour("accent");
  chart = new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, points: { size: 8 } },
      scales: { x: { time: true }, y: { range: (_, low, high) => uPlot.rangeNum(Math.min(0, low), Math.max(100, high), 0.1, true) } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Europe/London"),
      axes: [
        { ...axis, grid: { show: false }, incrs: DAYS.map((each) => each * 86400), values: (_, ticks) => ticks.map((tick) => short.format(tick * 1000)) },
        { ...axis, size: 72, values: (_, ticks) => ticks.map((tick) => pounds(BigInt(Math.round(tick))).replace(/\.00$/, "")) },
      ],
      series: [
        {},
        {
          label: "Profit",
          stroke: line,
          width: 2,
          fill: line.replace("rgb(", "rgba(").replace(")", ", 0.1)"),
          paths: uPlot.paths.stepped({ align: 1 }),
          points: { show: series.days.length < 60, size: 5, fill: line },
        },
      ],
      hooks: {
        setCursor: [
          (self) => {
            const at = self.cursor.idx;
            if (at !== null && at !== undefined) {
              words.textContent = `${day.format(series.days[at] * 1000)}: ${signed(BigInt(series.profit[at]))}`;
            }
          },
        ],
      },
    },
    [series.days, series.profit],
    box,
  );
}

onFact("series", (found) => {
  series = found;
  draw();
});
let width = 0;
new ResizeObserver(() => {
  if (chart && box.clientWidth !== width) {
    width = box.clientWidth;
    chart.setSize({ width, height: HEIGHT });
  }
}).observe(box);
document.addEventListener("kos:theme", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
document.getElementById("scope").addEventListener("change", (event) => event.currentTarget.submit());
