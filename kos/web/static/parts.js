// A page of parts rendered by the server: each is replaced when it changes.
import { Live } from "./live.js";

const byId = (id) => document.getElementById(id);
const box = byId("parts");
const listeners = new Map();

/** Call `heard` with a fact of the stream, now and whenever it changes. */
export const onFact = (name, heard) => listeners.set(name, heard);

function exchange(part, html) {
  if (!part || part.dataset.was === html) return;
  part.dataset.was = html;
  // The focus stays in its part, and open details stay open.
  const inside = part.contains(document.activeElement) ? document.activeElement : null;
  const place = inside ? [...part.querySelectorAll("a, summary, button")].indexOf(inside) : -1;
  const open = [...part.querySelectorAll("details")].map((each) => each.open);
  part.innerHTML = html;
  [...part.querySelectorAll("details")].forEach((each, at) => {
    if (open[at]) each.open = true;
  });
  if (place >= 0) part.querySelectorAll("a, summary, button")[place]?.focus();
}

const live = new Live(
  (news) => {
    for (const [name, fact] of Object.entries(news.facts)) {
      if (name.startsWith("#")) exchange(byId(name.slice(1)), fact);
      else if (name === "trouble") {
        const line = byId("trouble");
        line.hidden = !fact;
        line.textContent = fact ? fact[0].toUpperCase() + fact.slice(1) : "";
      } else listeners.get(name)?.(fact);
    }
  },
  (state, words) => {
    byId("live").dataset.state = state;
    byId("live-words").textContent = state === "refused" ? "No response" : words;
  },
);
if (box) live.open(box.dataset.stream);
