// The Opportunities page: the stream's rows, sorted, filtered and computed in the browser.
import { age, duration } from "./ages.js";
import { Drawer } from "./drawer.js";
import { Grid } from "./grid.js";
import { Live, now } from "./live.js";
import { balance, fraction, penceOf, plainNumber, pounds, signed } from "./money.js";

const KEPT = "kos.opportunities";
const ASK_AFTER_MS = 350;
const byId = (id) => document.getElementById(id);
const form = byId("filters");

// --- storage in this browser --------------------------------------------------------------

const kept = (() => {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
})();
const keep = (changes) => {
  Object.assign(kept, changes);
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // Private browsing: the choice only applies to this page.
  }
};

// --- the figures of a row for the stake in the box -----------------------------------------------

const rows = new Map();
let order = [];
let facts = {};
const stakeNow = () => plainNumber(byId("stake").value);
const modeNow = () => form.elements.kind.value;
/** The kind of bet: an arb is a qualifying bet that makes a profit. */
const kindNow = () => (modeNow() === "arbs" ? "qualifying" : modeNow());
/** The refund: the stake if nothing is typed. */
const refundNow = () => plainNumber(form.elements.refund.value) || stakeNow();

/** The lay of a row's bet at any prices. */
const lay = (row, stake, back, layOdds, commission) =>
  balance(kindNow(), stake, back, layOdds, commission, refundNow(), row.keeps);

/** Exact figures of a row; computed once for each stake. */
function figures(row) {
  const stake = stakeNow();
  const mark = `${kindNow()} ${stake} ${refundNow()}`;
  if (row.mark !== mark) {
    row.mark = mark;
    row.figures = lay(row, stake, row.back_odds, row.lay_odds, row.commission);
  }
  return row.figures;
}

/** A rough figure: for sorting thousands of rows, never for showing. */
function roughly(row, name) {
  const stake = Number(stakeNow());
  const [back, layOdds, commission] = [row.back_odds, row.lay_odds, row.commission].map(Number);
  const wins = kindNow() === "sr" ? stake * back : stake * (back - 1);
  const back1 = { qualifying: -stake, refund: Number(refundNow()) * Number(row.keeps) - stake };
  const loses = back1[kindNow()] ?? 0;
  const laid = (wins - loses) / (layOdds - commission);
  if (name === "lay_stake") return laid;
  if (name === "liability") return laid * (layOdds - 1);
  return wins - laid * (layOdds - 1);
}

const money = (name, text = pounds) => (row) => {
  const found = figures(row);
  return [found ? text(found[name]) : "–", found ? String(Math.sign(Number(found[name]))) : "0"];
};

// --- columns -----------------------------------------------------------------------------------

const plain = (cell, [text]) => {
  cell.textContent = text;
};
const tinted = (cell, [text, sign]) => {
  cell.textContent = text;
  cell.classList.toggle("gain", sign === "1");
  cell.classList.toggle("loss", sign === "-1");
};
const element = (name, className, text) => {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
};
const twoLines = (cell, first, second, className = "") => {
  cell.replaceChildren(first, element("small", className, second));
};
const priceColumn = (side, label) => ({
  key: side,
  label,
  kind: "number price",
  sorts: (row) => Number(row[`${side}_odds`]),
  shows: (row) => {
    const { state, words } = age(row[`${side}_at`], row[`${side}_until`], now());
    return [row[`${side}_shown`], words, state];
  },
  flashes: (was, is) => was[0] !== is[0],
  draws: (cell, [odds, words, state]) => {
    cell.dataset.age = state;
    twoLines(cell, element("span", `odds ${side}`, odds), words, "age");
  },
});
const ageColumn = (side, label) => ({
  key: `${side}_age`,
  label,
  kind: "number",
  isHidden: true,
  sorts: (row) => -row[`${side}_at`],
  shows: (row) => {
    const { state, words } = age(row[`${side}_at`], row[`${side}_until`], now());
    return [words, state];
  },
  draws: (cell, [words, state]) => {
    cell.dataset.age = state;
    cell.replaceChildren(element("span", "age", words));
  },
});

const COLUMNS = [
  {
    key: "event",
    label: "Event",
    isAlways: true,
    sorts: (row) => row.event,
    shows: (row) => [row.event, `${row.kickoff} · ${row.competition}`],
    draws: (cell, [event, under]) => {
      const button = cell.querySelector("button") ?? element("button", "event-name", "");
      button.type = "button";
      button.textContent = event;
      twoLines(cell, button, under);
    },
  },
  {
    key: "selection",
    label: "Selection",
    sorts: (row) => row.selection,
    shows: (row) => [row.selection],
    draws: plain,
  },
  {
    key: "bookmaker",
    label: "Bookmaker",
    sorts: (row) => row.bookmaker,
    shows: (row) => [row.bookmaker],
    draws: plain,
  },
  priceColumn("back", "Back"),
  {
    key: "exchange",
    label: "Exchange",
    sorts: (row) => row.exchange,
    shows: (row) => [row.exchange],
    draws: plain,
  },
  priceColumn("lay", "Lay"),
  {
    key: "available",
    label: "Available",
    kind: "number",
    sorts: (row) => (row.available === null ? -1 : Number(row.available)),
    shows: (row) => {
      if (row.available === null) return ["unknown", "unknown"];
      const found = figures(row);
      const units = penceOf(row.available);
      return [pounds(units), found && units < found.layStake ? "short" : "enough"];
    },
    draws: (cell, [text, state]) => {
      cell.dataset.available = state;
      if (state === "short") twoLines(cell, document.createTextNode(text), "below your lay stake");
      else cell.textContent = text;
    },
  },
  {
    key: "rating",
    label: "Rating",
    kind: "number",
    sorts: (row) => Number(row.rating),
    shows: (row) => [`${row.rating}%`, Number(row.rating) > 100 ? "1" : "0"],
    draws: tinted,
  },
  {
    key: "retention",
    label: "Retention",
    kind: "number",
    isFor: (kind) => kind === "snr" || kind === "sr",
    sorts: (row) => Number(row.retention),
    shows: (row) => [`${row.retention}%`],
    draws: plain,
  },
  {
    key: "profit",
    label: "Profit",
    kind: "number strong",
    sorts: (row) => roughly(row, "profit"),
    shows: money("profit", signed),
    draws: tinted,
  },
  {
    key: "lay_stake",
    label: "Lay stake",
    kind: "number strong",
    sorts: (row) => roughly(row, "lay_stake"),
    shows: money("layStake"),
    draws: plain,
  },
  {
    key: "liability",
    label: "Liability",
    kind: "number",
    sorts: (row) => roughly(row, "liability"),
    shows: money("liability"),
    draws: plain,
  },
  {
    key: "starts_in",
    label: "Starts in",
    kind: "number",
    sorts: (row) => row.kickoff_at,
    shows: (row) => [row.kickoff_at > now() ? duration(row.kickoff_at - now()) : "started"],
    draws: plain,
  },
  ageColumn("back", "Back price age"),
  ageColumn("lay", "Lay price age"),
  {
    key: "if_back_wins",
    label: "If the back bet wins",
    kind: "number",
    isHidden: true,
    sorts: (row) => roughly(row, "profit"),
    shows: money("ifWins", signed),
    draws: tinted,
  },
  {
    key: "if_back_loses",
    label: "If the back bet loses",
    kind: "number",
    isHidden: true,
    sorts: (row) => roughly(row, "profit"),
    shows: money("ifLoses", signed),
    draws: tinted,
  },
];

const isShown = (column) =>
  column.isAlways || (kept.columns?.[column.key] ?? !column.isHidden);
const columnsNow = () =>
  COLUMNS.filter((column) => isShown(column) && (!column.isFor || column.isFor(kindNow())));

// --- the table -----------------------------------------------------------------------------------

let sort = kept.sort ?? null;
const grid = new Grid({
  box: byId("box"),
  columns: columnsNow(),
  onOpen: (id) => {
    const row = rows.get(id);
    if (row) drawer.open(row);
  },
  onSort: (key) => {
    // First the natural order of a column, then the other, then KOS's own ranking again.
    const isText = !COLUMNS.find((column) => column.key === key).kind;
    const first = !isText;
    if (sort?.key !== key) sort = { key, down: first };
    else if (sort.down === first) sort = { key, down: !first };
    else sort = null;
    keep({ sort });
    grid.setColumns(columnsNow(), sort);
    arrange();
  },
});
grid.setColumns(columnsNow(), sort);

const drawer = new Drawer({
  dialog: byId("drawer"),
  template: byId("drawer-template"),
  kind: kindNow,
  stake: stakeNow,
  lay,
  address: () => question(),
  onClose: () => grid.focusActive(),
});

const searched = (row) =>
  `${row.event} ${row.selection} ${row.competition} ${row.bookmaker}`.toLocaleLowerCase("en-GB");

function arrange() {
  const wanted = byId("find").value.trim().toLocaleLowerCase("en-GB");
  let shown = order.map((id) => rows.get(id)).filter(Boolean);
  if (wanted) {
    const words = wanted.split(/\s+/);
    shown = shown.filter((row) => {
      row.searched ??= searched(row);
      return words.every((word) => row.searched.includes(word));
    });
  }
  const column = sort && COLUMNS.find((each) => each.key === sort.key);
  if (column) {
    const keys = new Map(shown.map((row) => [row.id, column.sorts(row)]));
    const way = sort.down ? -1 : 1;
    shown = [...shown].sort((a, b) => {
      const [x, y] = [keys.get(a.id), keys.get(b.id)];
      return way * (typeof x === "string" ? x.localeCompare(y, "en-GB") : x - y);
    });
  }
  grid.setRows(shown);
  say(shown.length, Boolean(wanted));
}

function say(shown, isSearched) {
  const count = byId("count");
  const text = !facts.summary
    ? "Waiting for prices…"
    : isSearched
      ? `${shown} of ${rows.size} match`
      : facts.summary;
  if (count.textContent !== text) count.textContent = text;
  const empty = byId("empty");
  empty.hidden = shown > 0;
  if (!shown) {
    empty.querySelector(".empty-title").textContent = !facts.summary
      ? "Waiting for prices…"
      : isSearched
        ? "No results for that search"
        : "No opportunities match these filters";
    const left = isSearched ? [] : (facts.left_out ?? []).slice(0, 6);
    byId("left-out").replaceChildren(...left.map((line) => element("li", "", line)));
  }
}

// --- news from the stream -------------------------------------------------------------------------

function take(news) {
  if (news.all) rows.clear();
  for (const row of news.all ?? news.set) {
    rows.set(row.id, row);
    drawer.renew(row);
  }
  for (const id of news.gone ?? []) {
    rows.delete(id);
    drawer.lose(id);
  }
  if (news.order) order = news.order;
  Object.assign(facts, news.facts);
  if (news.all) drawer.check(rows);
  if (news.facts.choices) fillChoices();
  if ("trouble" in news.facts) showTrouble(news.facts.trouble);
  arrange();
  confirm();
}

/** The server's figures for the stake in the box must be those computed here. */
function confirm() {
  const note = byId("stake-state");
  const box = byId("stake");
  const typed = fraction(stakeNow());
  const isValid = typed !== null && typed.n > 0n;
  box.setAttribute("aria-invalid", String(!isValid));
  let state = "waiting";
  if (!isValid) state = "invalid";
  else if (facts.stake !== undefined && same(facts.stake, stakeNow()) && rows.size) {
    const differs = [...rows.values()].slice(0, 300).some((row) => {
      const found = figures(row);
      return (
        same(row.stake, stakeNow()) &&
        (found === null ||
          penceOf(row.lay_stake) !== found.layStake ||
          penceOf(row.liability) !== found.liability ||
          penceOf(row.profit) !== found.profit)
      );
    });
    state = differs ? "differs" : "confirmed";
  }
  note.dataset.state = state;
  note.textContent = {
    waiting: "calculating…",
    invalid: "Enter an amount, e.g. 25.00",
    confirmed: "confirmed",
    differs: "Figures out of date: reload",
  }[state];
}

const same = (a, b) => {
  const [x, y] = [fraction(a), fraction(b)];
  return x !== null && y !== null && x.n * y.d === y.n * x.d;
};

function showTrouble(words) {
  const line = byId("trouble");
  line.hidden = !words;
  line.textContent = words ? words[0].toUpperCase() + words.slice(1) : "";
}

const live = new Live(take, (state, words) => {
  byId("live").dataset.state = state;
  byId("live-words").textContent = state === "refused" ? "No response" : words;
  if (state === "refused") showTrouble(words);
  else if (state === "live" && !facts.trouble) showTrouble("");
});

// --- the question ----------------------------------------------------------------------------------

let mode = modeNow();
const defaultOf = (field, of = modeNow()) =>
  field.dataset[`default${of[0].toUpperCase()}${of.slice(1)}`] ?? field.dataset.default;
/** Another mode: the sort order follows, unless another one is chosen. */
function changeMode() {
  const { rank } = form.elements;
  if (rank.value === defaultOf(rank, mode)) rank.value = defaultOf(rank);
  mode = modeNow();
}

function question() {
  const said = new URLSearchParams();
  for (const field of form.elements) {
    if (!field.name || field.closest("[hidden]") || (field.matches("[type=radio], [type=checkbox]") && !field.checked)) continue;
    const text = field.value.trim();
    if (text && text !== defaultOf(field)) said.set(field.name, text.replace(/^£/, ""));
  }
  return said;
}

let asked = null;
let asking = 0;
function ask() {
  clearTimeout(asking);
  const said = question();
  const text = said.toString();
  if (text === asked) return;
  asked = text;
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
  facts = { choices: facts.choices };
  live.open(`/opportunities/stream?${text}`);
}
function askSoon() {
  clearTimeout(asking);
  asking = setTimeout(ask, ASK_AFTER_MS);
}

const more = () => byId("more").querySelectorAll("input, select");

function showMode() {
  const isFree = kindNow() === "snr" || kindNow() === "sr";
  byId("stake-name").textContent = isFree ? "Free bet" : "Stake";
  for (const each of form.querySelectorAll("[data-for]")) {
    each.hidden = !each.dataset.for.split(" ").includes(modeNow());
  }
  const asks = question();
  const used = [...more()].filter((field) => field.name !== "rank" && field.name !== "limit" && asks.has(field.name)).length;
  byId("more-count").hidden = !used;
  byId("more-count").textContent = used || "";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
form.addEventListener("input", (event) => {
  if (event.target.closest("#columns")) return;
  if (event.target.name === "kind") changeMode();
  showMode();
  if (event.target.id === "find") {
    arrange();
    return;
  }
  if (event.target.name === "kind") {
    grid.setColumns(columnsNow(), sort);
    rows.clear();
    order = [];
  }
  if (["stake", "refund"].includes(event.target.name)) confirm();
  arrange();
  const isTyped = event.target.matches("input[inputmode]");
  if (!isTyped) ask();
  else if (event.target.name !== "stake" || fraction(stakeNow())?.n > 0n) askSoon();
});
byId("clear").addEventListener("click", () => {
  for (const field of more()) {
    if (field.type === "checkbox") field.checked = false;
    else if (field.name !== "limit") field.value = defaultOf(field) ?? "";
  }
  showMode();
  ask();
});

function fillChoices() {
  for (const [name, known] of Object.entries(facts.choices)) {
    const select = form.elements[name];
    const chosen = select.value || select.dataset.now;
    delete select.dataset.now;
    const options = [new Option(select.dataset.all, "")];
    const listed = new Map(known);
    for (const [key, title] of known) options.push(new Option(title, key));
    if (chosen && !listed.has(chosen)) options.push(new Option(chosen, chosen));
    select.replaceChildren(...options);
    select.value = chosen ?? "";
  }
}

// --- columns chosen ---------------------------------------------------------------------------------

byId("columns-panel").append(
  ...COLUMNS.filter((column) => !column.isAlways).map((column) => {
    const label = element("label", "tick", "");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = isShown(column);
    box.dataset.column = column.key;
    box.addEventListener("change", () => {
      keep({ columns: { ...kept.columns, [column.key]: box.checked } });
      grid.setColumns(columnsNow(), sort);
    });
    label.append(box, ` ${column.label}`);
    return label;
  }),
);
for (const panel of document.querySelectorAll("details.more")) {
  panel.addEventListener("toggle", () => {
    if (!panel.open) return;
    for (const other of document.querySelectorAll("details.more")) {
      if (other !== panel) other.open = false;
    }
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      panel.open = false;
      panel.querySelector("summary").focus();
    }
  });
}
document.addEventListener("click", (event) => {
  for (const panel of document.querySelectorAll("details.more[open]")) {
    if (!panel.contains(event.target)) panel.open = false;
  }
});

setInterval(() => {
  grid.refresh();
  drawer.tick();
}, 1000);
// A chosen filter that is not in the lists yet stays chosen.
for (const select of form.querySelectorAll("select[data-now]")) {
  const { now: chosen } = select.dataset;
  if (chosen) select.append(new Option(chosen, chosen, true, true));
}
showMode();
confirm();
ask();
