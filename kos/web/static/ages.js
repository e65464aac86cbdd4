// Ages of prices: in words, and in how strongly they are shown. A stale price is never shown as
// fresh, not even when no news comes any more: this goes by the clock alone.

/** 45 s, 12 min, 1 h 30 min, 3 d. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole >= 86400) return two(Math.floor(whole / 86400), "d", Math.floor((whole % 86400) / 3600), "h");
  if (whole >= 3600) return two(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
  if (whole >= 60) return `${Math.floor(whole / 60)} min`;
  return `${whole} s`;
}

const two = (more, unit, less, smaller) => (less ? `${more} ${unit} ${less} ${smaller}` : `${more} ${unit}`);

/** How a price seen at `at` stands that counts until `until`: {state, words}. Seconds. */
export function age(at, until, now) {
  const words = duration(now - at);
  if (now > until) return { state: "stale", words: `stale, ${words}` };
  const share = until > at ? (now - at) / (until - at) : 1;
  if (share > 0.75) return { state: "old", words: `ageing, ${words}` };
  return { state: share > 0.4 ? "ripe" : "fresh", words };
}
