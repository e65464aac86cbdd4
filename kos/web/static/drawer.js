// The panel of one opportunity: both bets, the calculator, starting an offer, and the ranking.
import { age, duration } from "./ages.js";
import { now } from "./live.js";
import { fraction, pounds, signed } from "./money.js";
import { prepare } from "./start.js";

/** A commission as a percentage, exactly: "0.05" is "5". */
function percentOf(text) {
  const [whole, part = ""] = text.split(".");
  const shifted = `${whole}${part.padEnd(2, "0").slice(0, 2)}`.replace(/^0+(?=\d)/, "");
  const rest = part.slice(2).replace(/0+$/, "");
  return rest ? `${shifted}.${rest}` : shifted;
}

/** And back: "5" is "0.05". */
function shareOf(text) {
  const found = fraction(text.replace(/%$/, ""));
  if (!found) return text;
  const digits = found.n.toString().padStart(found.d.toString().length + 2, "0");
  const places = found.d.toString().length - 1 + 2;
  return `${digits.slice(0, -places) || "0"}.${digits.slice(-places)}`;
}

export class Drawer {
  #dialog;
  #template;
  #row = null;
  #isEdited = false;
  #isGone = false;

  constructor({ dialog, template, kind, stake, lay, address, onClose }) {
    this.#dialog = dialog;
    this.#template = template;
    this.kind = kind;
    this.stake = stake;
    this.lay = lay;
    this.address = address;
    dialog.addEventListener("close", () => {
      this.#row = null;
      dialog.replaceChildren();
      onClose();
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
      const what = event.target.closest("[data-do]")?.dataset.do;
      if (what === "close") dialog.close();
      if (what === "copy") this.#copy(event.target);
      if (what === "reset") this.#reset();
    });
  }

  open(row) {
    this.#row = row;
    this.#isEdited = false;
    this.#isGone = false;
    this.#dialog.replaceChildren(this.#template.content.cloneNode(true));
    const form = this.#of("calculator");
    form.addEventListener("input", () => {
      this.#isEdited = true;
      this.#compute();
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    this.#reset();
    this.#why();
    this.#start();
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** The line has news. */
  renew(row) {
    if (this.#row?.id !== row.id) return;
    this.#row = row;
    this.#isGone = false;
    if (this.#isEdited) this.#show();
    else this.#reset();
  }

  /** The line is no longer available. */
  lose(id) {
    if (this.#row?.id !== id) return;
    this.#isGone = true;
    this.#show();
  }

  /** Everything was sent again: is the line still there? */
  check(rows) {
    if (this.#row && !rows.has(this.#row.id)) this.lose(this.#row.id);
  }

  /** A second has passed. */
  tick() {
    if (this.#row) this.#show();
  }

  #of(name) {
    return this.#dialog.querySelector(`[data-of="${name}"]`);
  }

  #text(name, text) {
    const place = this.#of(name);
    if (place && place.textContent !== text) place.textContent = text;
  }

  #reset() {
    const row = this.#row;
    const { stake, back, lay, commission } = this.#of("calculator").elements;
    stake.value = this.stake();
    back.value = row.back_shown;
    lay.value = row.lay_shown;
    commission.value = percentOf(row.commission);
    this.#isEdited = false;
    this.#show();
    this.#compute();
  }

  #show() {
    const row = this.#row;
    const time = now();
    this.#text("event", row.event);
    this.#text(
      "when",
      `${row.kickoff}, ${row.kickoff_at > time ? `in ${duration(row.kickoff_at - time)}` : "started"} · ${row.competition}`,
    );
    for (const place of this.#dialog.querySelectorAll('[data-of="selection"]')) {
      place.textContent = row.selection;
    }
    this.#text("bookmaker", row.bookmaker);
    this.#text("exchange", `${row.exchange}, ${percentOf(row.commission)}% commission`);
    this.#text("back", row.back_shown);
    this.#text("lay", row.lay_shown);
    for (const side of ["back", "lay"]) {
      const { state, words } = age(row[`${side}_at`], row[`${side}_until`], time);
      this.#text(`${side}-age`, state === "stale" ? words : `${words.replace(/^ageing, /, "")} ago${state === "old" ? ", getting old" : ""}`);
      this.#of(`${side}-age`).closest(".leg").dataset.age = state;
    }
    const words = ["snr", "sr"].includes(this.kind()) ? "Free bet" : "Stake";
    this.#text("stake-word", words);
    this.#text("stake-word-2", words);
    const state = this.#of("state");
    state.hidden = !this.#isGone;
    this.#text("state", "No longer available: a price has moved or gone stale. Check both sites before you bet.");
    this.#link(row);
    const warnings = this.#of("warnings");
    const mark = row.warnings.join("\n");
    if (warnings.dataset.mark !== mark) {
      warnings.dataset.mark = mark;
      warnings.replaceChildren(
        ...row.warnings.map((line) => {
          const item = document.createElement("li");
          item.textContent = line[0].toUpperCase() + line.slice(1);
          return item;
        }),
      );
    }
    this.#dialog.querySelector('[data-do="reset"]').hidden = !this.#isEdited;
  }

  #link(row) {
    const place = this.#of("link");
    if (place.dataset.link === (row.link ?? "")) return;
    place.dataset.link = row.link ?? "";
    place.replaceChildren();
    // The server only passes https links to the bookmaker's own host; checked again here.
    if (!row.link?.startsWith("https://")) return;
    const link = document.createElement("a");
    link.className = "button outward";
    link.href = row.link;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.textContent = `Go to ${row.bookmaker}`;
    place.append(link);
  }

  #compute() {
    const { stake, back, lay, commission } = this.#of("calculator").elements;
    const found = this.lay(this.#row, stake.value, back.value, lay.value, shareOf(commission.value));
    for (const input of [stake, back, lay, commission]) {
      input.setAttribute("aria-invalid", String(!found && fraction(input.value) === null));
    }
    const show = (name, text, units) => {
      this.#text(name, found ? text(units) : "–");
      const place = this.#of(name);
      place.classList.toggle("gain", Boolean(found) && units > 0n);
      place.classList.toggle("loss", Boolean(found) && units < 0n);
    };
    this.#text("stake", fraction(stake.value) ? `£${stake.value.replace(/^£/, "")}` : "–");
    this.#text("lay-stake", found ? pounds(found.layStake) : "–");
    this.#text("liability", found ? pounds(found.liability) : "–");
    show("win-book", signed, found?.winBook);
    show("win-exchange", signed, found?.winExchange);
    show("win", signed, found?.ifWins);
    show("lose-book", signed, found?.loseBook);
    show("lose-exchange", signed, found?.loseExchange);
    show("lose", signed, found?.ifLoses);
    this.#dialog.querySelector('[data-do="reset"]').hidden = !this.#isEdited;
  }

  async #copy(button) {
    const text = this.#of("lay-stake").textContent.replace(/[£,]/g, "");
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = text;
    }
    setTimeout(() => {
      button.textContent = "Copy";
    }, 1500);
  }

  async #why() {
    const row = this.#row;
    const said = this.address();
    said.set("id", row.id);
    let factors = [];
    try {
      const answer = await fetch(`/opportunities/why?${said}`);
      if (answer.ok) factors = await answer.json();
    } catch {
      // No answer: the section stays empty.
    }
    if (this.#row?.id !== row.id) return;
    this.#of("factors").replaceChildren(
      ...factors.flatMap(({ name, value, meaning }) => {
        const term = document.createElement("dt");
        term.textContent = name;
        const figure = document.createElement("dd");
        const strong = document.createElement("strong");
        strong.textContent = value;
        const small = document.createElement("small");
        small.textContent = meaning;
        figure.append(strong, small);
        return [term, figure];
      }),
    );
  }

  async #start() {
    const row = this.#row;
    const section = this.#of("start");
    section.hidden = !["qualifying", "refund"].includes(this.kind());
    if (section.hidden) return;
    const found = this.lay(row, this.stake(), row.back_odds, row.lay_odds, row.commission);
    const about = new URLSearchParams({
      bookmaker: row.bookmaker_key,
      event: row.event,
      selection: row.selection,
      sport: row.sport,
      kickoff_at: String(row.kickoff_at),
      stake: this.stake(),
      back_odds: row.back_shown,
      exchange: row.exchange_key,
      market_id: row.market_id ?? "",
      lay_stake: found ? pounds(found.layStake).replace(/[£,]/g, "") : "",
      lay_odds: row.lay_shown,
      commission: percentOf(row.commission),
      note: `opportunity ${row.id}`,
    });
    const place = this.#of("start-form");
    place.textContent = "Loading…";
    try {
      const answer = await fetch(`/offers/start?${about}`);
      const text = await answer.text();
      if (this.#row?.id !== row.id) return;
      if (answer.ok) place.innerHTML = text;
      else place.textContent = text;
      prepare(place);
    } catch {
      place.textContent = "KOS is not responding. Try again.";
    }
  }
}
