// The form that starts an offer: on a page of its own, or in the drawer of an opportunity.

// Not crypto.randomUUID: a page that is reached by http from elsewhere has none.
const newKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Make the form within a place work. */
export function prepare(place) {
  const form = place.querySelector("form[data-start]");
  if (!form) return;
  const answer = form.querySelector("[data-answer]");
  const show = () => {
    for (const tick of form.querySelectorAll("[data-shows]")) {
      form.querySelector(`[data-part="${tick.dataset.shows}"]`).hidden = !tick.checked;
    }
  };
  show();
  const { offer, deposit, stake } = form.elements;
  offer.addEventListener("change", () => {
    const chosen = offer.selectedOptions[0];
    deposit.value = chosen.dataset.deposit;
    if (!stake.value) stake.value = chosen.dataset.stake;
  });
  if (!stake.value) stake.value = offer.selectedOptions[0].dataset.stake;
  deposit.value = offer.selectedOptions[0].dataset.deposit;
  form.addEventListener("change", show);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button.primary");
    button.disabled = true;
    answer.replaceChildren("Recording…");
    try {
      const said = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      const text = await said.text();
      if (said.headers.get("content-type")?.startsWith("text/html")) answer.innerHTML = text;
      else answer.textContent = text;
      const isDone = answer.querySelector(".done") !== null;
      button.hidden = isDone;
      // A refusal is remembered under its key: what is mended is another command. Where it is not
      // known what became of it, the same key keeps it from being recorded twice.
      const isSame = answer.querySelector("[data-same-again]") !== null;
      if (!isDone && said.ok && !isSame) form.elements.key.value = newKey();
    } catch {
      answer.textContent = "KOS did not answer. Send it again: it cannot be recorded twice.";
    }
    button.disabled = false;
  });
}

const own = document.getElementById("start");
if (own) prepare(own);
