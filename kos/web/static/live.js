// One stream of server-sent events, kept open while the page is visible.

const HIDDEN_S = 10;
const AGAIN_S = 3;

/** The page's clock: the server's, as far as this machine's differs. Seconds. */
const offset = (() => {
  const said = Number(document.querySelector('meta[name="kos-now"]')?.content);
  return Number.isFinite(said) && said > 0 ? said - Date.now() / 1000 : 0;
})();
export const now = () => Date.now() / 1000 + offset;

/**
 * Keeps a stream at an address. `onNews` gets each parsed event, `onState` one of "live",
 * "waiting" with words. A hidden page closes its stream: it costs KOS nothing.
 */
export class Live {
  #source = null;
  #address = "";
  #again = 0;
  #hide = 0;

  constructor(onNews, onState) {
    this.onNews = onNews;
    this.onState = onState;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.#hide);
      if (document.hidden) this.#hide = setTimeout(() => this.#close(), HIDDEN_S * 1000);
      else if (!this.#source && this.#address) this.#connect();
    });
    window.addEventListener("pagehide", () => this.#close());
    window.addEventListener("pageshow", (event) => {
      if (event.persisted && this.#address) this.#connect();
    });
  }

  /** Watch another question. */
  open(address) {
    this.#address = address;
    this.#connect();
  }

  #close() {
    clearTimeout(this.#again);
    this.#source?.close();
    this.#source = null;
  }

  #connect() {
    this.#close();
    const source = new EventSource(this.#address);
    this.#source = source;
    source.addEventListener("open", () => this.onState("live", "Live"));
    source.addEventListener("message", (event) => {
      if (source === this.#source) this.onNews(JSON.parse(event.data));
    });
    source.addEventListener("error", () => {
      if (source !== this.#source) return;
      this.onState("waiting", "Reconnecting…");
      if (source.readyState === EventSource.CLOSED) {
        clearTimeout(this.#again);
        this.#again = setTimeout(() => this.#connect(), AGAIN_S * 1000);
        this.#explain();
      }
    });
  }

  // An EventSource does not say why it was refused; a plain request to the same address does.
  async #explain() {
    try {
      const stop = new AbortController();
      const answer = await fetch(this.#address, { signal: stop.signal });
      if (answer.ok) stop.abort();
      else if (answer.status === 401) location.assign("/login");
      else {
        // What was refused once is refused again: only another question helps.
        if (answer.status === 400) clearTimeout(this.#again);
        this.onState("refused", (await answer.text()).trim());
      }
    } catch {
      // No server: "Reconnecting…" says so.
    }
  }
}
