// Ages of prices, in words and in colour. A stale price is never shown as fresh, even if no more
// news arrives: this uses only the clock.

/** 45s, 12 min, 1h 30 min, 1d 19h. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole >= 86400) return two(`${Math.floor(whole / 86400)}d`, Math.floor((whole % 86400) / 3600), "h");
  if (whole >= 3600) return two(`${Math.floor(whole / 3600)}h`, Math.floor((whole % 3600) / 60), " min");
  if (whole >= 60) return `${Math.floor(whole / 60)} min`;
  return `${whole}s`;
}

const two = (more, less, unit) => (less ? `${more} ${less}${unit}` : more);

/** The age of a price seen at `at` and fresh until `until`: {state, words}. Seconds. */
export function age(at, until, now) {
  const words = duration(now - at);
  if (now > until) return { state: "stale", words: `stale, ${words}` };
  const share = until > at ? (now - at) / (until - at) : 1;
  if (share > 0.75) return { state: "old", words: `ageing, ${words}` };
  return { state: share > 0.4 ? "ripe" : "fresh", words };
}
