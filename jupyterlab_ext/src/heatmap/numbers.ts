/** Numbers as people read them; the same words as in the notebook's own pictures. */

/** One number, with a sign that is a minus, and words for what is none. */
export function spelled(value: number, digits = 4): string {
  if (Number.isNaN(value)) {
    return 'NaN';
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? '∞' : '−∞';
  }
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  const text =
    size !== 0 && (size < 1e-4 || size >= 1e6)
      ? rounded.toExponential()
      : String(rounded);
  return text.replace(/-/g, '−');
}

/** The same with its sign always there, for differences. */
export function signed(value: number, digits = 3): string {
  const text = spelled(value, digits);
  return value > 0 ? `+${text}` : text;
}

/** How to write the numbers of one picture: as many decimals for all. */
export function styleFor(low: number, high: number): (value: number) => string {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const decimals =
    largest === 0 || (largest >= 0.01 && largest < 10)
      ? 2
      : largest >= 10 && largest < 100_000
        ? 1
        : -1;
  return value => {
    if (!Number.isFinite(value) || decimals < 0) {
      return spelled(value, 2);
    }
    const text = value.toFixed(decimals);
    // A number that rounds to nothing has no sign.
    return (Number(text) === 0 ? text.replace('-', '') : text).replace(
      '-',
      '−'
    );
  };
}

/** A name on an axis: the beginning of a long one. */
export function shortened(label: string, longest = 14): string {
  return label.length <= longest ? label : `${label.slice(0, longest - 1)}…`;
}
