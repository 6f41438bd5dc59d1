// Numbers and times as traders read them: UTC, fixed digits, a true minus sign.

export function price(value: number, digits = 5): string {
  return value.toFixed(digits);
}

export function money(value: number, currency = "", signed = false): string {
  const text = Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const sign = value < -0.004 ? "\u2212" : signed && value > 0.004 ? "+" : "";
  return sign + text + (currency ? `\u00a0${currency}` : "");
}

export function volume(value: number): string {
  return (value < 0 ? "\u2212" : "") + Math.abs(value).toFixed(2);
}

export function clock(us: number): string {
  return new Date(us / 1000).toISOString().slice(11, 19);
}

export function age(us: number): string {
  const s = Math.max(us / 1e6, 0);
  if (s < 90) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} days`;
}

export function duration(us: number): string {
  if (us < 1000) return `${us < 10 ? us.toFixed(1) : Math.round(us)} µs`;
  if (us < 1e6) return `${(us / 1000).toFixed(us < 1e4 ? 2 : 1)} ms`;
  return `${(us / 1e6).toFixed(2)} s`;
}

export function percent(value: number): string {
  return `${(value * 100).toFixed(0)} %`;
}

export function words(name: string): string {
  return name.replaceAll("_", " ");
}
