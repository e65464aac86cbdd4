// Exact money: the same lay as kos/domain/bets/lay.py, in whole numbers of any length. No figure on
// screen is ever a binary fraction.

const DECIMAL = /^\d{1,12}(?:\.\d{0,30})?$|^\.\d{1,30}$/;

const THOUSANDS = /^\d{1,3}(?:,\d{3})+(?:\.\d*)?$/;

/** A typed amount without its £ and its commas between groups of three digits. */
export function plainNumber(text) {
  const bare = String(text).trim().replace(/^£ ?/, "");
  return THOUSANDS.test(bare) ? bare.replaceAll(",", "") : bare;
}

/** A decimal text as an exact fraction {n, d}; null for anything else. */
export function fraction(text) {
  const plain = plainNumber(text);
  if (!DECIMAL.test(plain)) return null;
  const [whole, part = ""] = plain.split(".");
  return { n: BigInt((whole || "0") + part), d: 10n ** BigInt(part.length) };
}

const add = (a, b) => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
const sub = (a, b) => ({ n: a.n * b.d - b.n * a.d, d: a.d * b.d });
const mul = (a, b) => ({ n: a.n * b.n, d: a.d * b.d });
const div = (a, b) => (b.n < 0n ? { n: -a.n * b.d, d: -a.d * b.n } : { n: a.n * b.d, d: a.d * b.n });
const less = (a, b) => a.n * b.d < b.n * a.d;
const ONE = { n: 1n, d: 1n };
const NOTHING = { n: 0n, d: 1n };

/** Whole pence of an amount of pounds, half away from zero. */
export function pence(amount) {
  const scaled = amount.n * 100n;
  const size = scaled < 0n ? -scaled : scaled;
  const units = (2n * size + amount.d) / (2n * amount.d);
  return scaled < 0n ? -units : units;
}

const ofPence = (units) => ({ n: units, d: 100n });

// The bookmaker's result, including the stake, if the selection wins and if it does not.
const SIDES = {
  qualifying: (stake, odds) => [mul(stake, sub(odds, ONE)), sub(NOTHING, stake)],
  snr: (stake, odds) => [mul(stake, sub(odds, ONE)), NOTHING],
  sr: (stake, odds) => [mul(stake, odds), NOTHING],
  refund: (stake, odds, refund) => [mul(stake, sub(odds, ONE)), sub(refund, stake)],
};

/**
 * The balanced lay in pence, from decimal texts; null if a text is not a number or out of range.
 * For a refund, its amount and the value of £1 of it.
 * The lay stake is rounded to the penny first, and every figure follows from the rounded stake.
 */
export function balance(kind, stakeText, backText, layText, commissionText, refundText = "0", keepsText = "1") {
  const stake = fraction(stakeText);
  const back = fraction(backText);
  const lay = fraction(layText);
  const commission = fraction(commissionText);
  const refund = fraction(refundText);
  const keeps = fraction(keepsText);
  if (!stake || !back || !lay || !commission || !refund || !keeps || !SIDES[kind]) return null;
  if (stake.n <= 0n || less(back, ONE) || !less(ONE, lay) || !less(commission, ONE)) return null;
  const [wins, loses] = SIDES[kind](stake, back, mul(refund, keeps));
  const layStake = pence(div(sub(wins, loses), sub(lay, commission)));
  const laid = ofPence(layStake);
  const liability = mul(laid, sub(lay, ONE));
  const kept = mul(laid, sub(ONE, commission));
  const ifWins = sub(wins, liability);
  const ifLoses = add(loses, kept);
  return {
    layStake,
    liability: pence(liability),
    ifWins: pence(ifWins),
    ifLoses: pence(ifLoses),
    profit: pence(less(ifWins, ifLoses) ? ifWins : ifLoses),
    winBook: pence(wins),
    winExchange: -pence(liability),
    loseBook: pence(loses),
    loseExchange: pence(kept),
  };
}

/** Pence as people read them: £1,234.50, -£0.28. */
export function pounds(units) {
  const size = units < 0n ? -units : units;
  const whole = (size / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  return `${units < 0n ? "-" : ""}£${whole}.${(size % 100n).toString().padStart(2, "0")}`;
}

/** A signed amount: a profit has a plus. */
export const signed = (units) => (units > 0n ? `+${pounds(units)}` : pounds(units));

/** Pence of a decimal text such as the server sends; null for anything else. */
export function penceOf(text) {
  const negative = text.startsWith("-");
  const found = fraction(negative ? text.slice(1) : text);
  if (!found) return null;
  const units = pence(found);
  return negative ? -units : units;
}
