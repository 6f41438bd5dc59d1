// Indicators over closes, as MT5 draws them by default: moving average 20, Bollinger 20 and 2, RSI 14 by Wilder.

export type Points = (number | undefined)[];

export function average(closes: number[], length = 20): Points {
  let sum = 0;
  return closes.map((close, i) => {
    sum += close - (i >= length ? closes[i - length]! : 0);
    return i >= length - 1 ? sum / length : undefined;
  });
}

export function bands(closes: number[], length = 20, width = 2): { upper: Points; lower: Points } {
  const middle = average(closes, length);
  const spread = closes.map((_, i) => {
    if (middle[i] === undefined) return undefined;
    const part = closes.slice(i - length + 1, i + 1);
    return width * Math.sqrt(part.reduce((sum, close) => sum + (close - middle[i]!) ** 2, 0) / length);
  });
  const at = (sign: number) => middle.map((m, i) => (m === undefined ? undefined : m + sign * spread[i]!));
  return { upper: at(1), lower: at(-1) };
}

export function rsi(closes: number[], length = 14): Points {
  let [up, down] = [0, 0];
  return closes.map((close, i) => {
    if (!i) return undefined;
    const move = close - closes[i - 1]!;
    const share = 1 / length;
    const keep = i <= length ? 1 : 1 - share; // the first ones are a plain mean
    up = up * keep + Math.max(move, 0) * share;
    down = down * keep + Math.max(-move, 0) * share;
    if (i < length) return undefined;
    return up + down ? (100 * up) / (up + down) : 50;
  });
}
