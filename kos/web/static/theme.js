// Colours before the first paint: the system's, unless the person chose. No module, so that it
// runs before the page is drawn.
"use strict";
(() => {
  const NAMES = { auto: "Auto", light: "Light", dark: "Dark" };
  const ORDER = ["auto", "light", "dark"];
  const kept = () => {
    try {
      const name = localStorage.getItem("kos.theme");
      return ORDER.includes(name) ? name : "auto";
    } catch {
      return "auto";
    }
  };
  const show = (name) => {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
  };
  let theme = kept();
  show(theme);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const say = () => {
      button.setAttribute("aria-label", `Colours: ${NAMES[theme]}`);
      button.querySelector(".theme-name").textContent = NAMES[theme];
    };
    say();
    button.addEventListener("click", () => {
      theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
      try {
        localStorage.setItem("kos.theme", theme);
      } catch {
        // No storage in this browser: the choice only applies to this page.
      }
      show(theme);
      say();
      document.dispatchEvent(new CustomEvent("kos:theme"));
    });
  });
})();
