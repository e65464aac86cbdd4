// The form that starts an offer, on its own page or in the panel of an opportunity.

// Not crypto.randomUUID: a page loaded over http from another machine has none.
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
      // A refusal is remembered under its key, so a corrected form gets a new one. If the outcome is
      // unknown, the same key makes sure that it is not recorded twice.
      const isSame = answer.querySelector("[data-same-again]") !== null;
      if (!isDone && said.ok && !isSame) form.elements.key.value = newKey();
    } catch {
      answer.textContent = "KOS did not respond. Send it again: it will not be recorded twice.";
    }
    button.disabled = false;
  });
}

const own = document.getElementById("start");
if (own) prepare(own);
