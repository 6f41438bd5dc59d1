/* The floor of bench_kernel: the features of features/kernel.py as one straight loop in C, on the
 * kernel's own state, with the same bits. Nothing of the product uses it. Names are the kernel's.
 */
#include <math.h>
#include <stdint.h>

typedef int64_t i64;
enum { RING = 4096, MASK = 4095, KEPT = 63, COLUMNS = 50, PEERS = 46 };

typedef struct {
  i64 time_msc;
  uint32_t seq;
  uint16_t flags, quality;
  double bid, ask, last, volume;
  i64 ts_recv_us;
} Tick;

typedef struct {
  i64 bars;
  double high, low, close, average_gain, average_loss, rsi, true_range, ema_20;
} Frame;

typedef struct {
  i64 time_msc, span_end, slot, second, minute, head, marks[7];
  i64 ticks, net, squares, spreads, spread_squares, pressure, moves, signed_volume, volume, trades;
  i64 minute_squares, squeezed;
  Frame m1, m5, h1;
  double bid, ask, mid, log_mid, second_log_mid, time_sin, time_cos;
  double ema_12, ema_26, macd, macd_signal, sma_20, deviation, squeeze;
  double channel_high, channel_low, vol_of_vol;
  double closes[64], log_closes[64], highs[64], lows[64], volatilities[64];
  double ring_log_mid[RING];
  i64 ring_slot[RING], ring[RING][10];
} State;

i64 state_bytes(void) { return sizeof(State); }

static inline double larger(double a, double b) { return b > a ? b : a; }
static inline double smaller(double a, double b) { return b < a ? b : a; }

static void rsi(Frame *f, double close, double previous, i64 change) {
  double gain = larger(close - previous, 0.0), loss = larger(previous - close, 0.0);
  if (change <= 14) {
    f->average_gain += gain;
    f->average_loss += loss;
    if (change == 14) {
      f->average_gain /= 14.0;
      f->average_loss /= 14.0;
    }
  } else {
    f->average_gain = (f->average_gain * 13.0 + gain) / 14.0;
    f->average_loss = (f->average_loss * 13.0 + loss) / 14.0;
  }
  double both = f->average_gain + f->average_loss;
  f->rsi = both >= 1e-14 ? 100.0 * (f->average_gain / both) : 0.0;
}

static void true_range(Frame *f, i64 change) {
  double range = larger(f->high, f->close) - smaller(f->low, f->close);
  if (change <= 14) {
    f->true_range += range;
    if (change == 14) f->true_range /= 14.0;
  } else {
    f->true_range = (f->true_range * 13.0 + range) / 14.0;
  }
}

static void close_frame(Frame *f, double close) {
  i64 bar = f->bars;
  if (bar > 0) {
    true_range(f, bar);
    rsi(f, close, f->close, bar);
  }
  if (bar < 20) {
    f->ema_20 += close;
    if (bar == 19) f->ema_20 /= 20.0;
  } else {
    f->ema_20 += (close - f->ema_20) * (2.0 / 21.0);
  }
  f->close = close;
  f->bars = bar + 1;
}

static void reopen(Frame *f) { f->high = -INFINITY, f->low = INFINITY; }

static void widen(Frame *f, const Frame *minute) {
  f->high = larger(f->high, minute->high);
  f->low = smaller(f->low, minute->low);
}

static double mean_of_closes(const State *s, i64 bar, i64 count) {
  double total = 0.0;
  for (i64 n = bar - count + 1; n <= bar; n++) total += s->closes[n & KEPT];
  return total / (double)count;
}

static void macd(State *s, double close, i64 bar) {
  if (bar < 25) return;
  if (bar == 25) {
    s->ema_12 = mean_of_closes(s, bar, 12);
    s->ema_26 = mean_of_closes(s, bar, 26);
  } else {
    s->ema_12 += (close - s->ema_12) * (2.0 / 13.0);
    s->ema_26 += (close - s->ema_26) * (2.0 / 27.0);
  }
  s->macd = s->ema_12 - s->ema_26;
  if (bar <= 33) {
    s->macd_signal += s->macd;
    if (bar == 33) s->macd_signal /= 9.0;
  } else {
    s->macd_signal += (s->macd - s->macd_signal) * (2.0 / 10.0);
  }
}

static void vol_of_vol(State *s, i64 bar) {
  s->volatilities[bar & KEPT] = sqrt((double)(s->squares - s->minute_squares) * 1e-6);
  s->minute_squares = s->squares;
  if (bar < 29) return;
  double total = 0.0, squares = 0.0;
  for (i64 n = bar - 29; n <= bar; n++) total += s->volatilities[n & KEPT];
  double mean = total / 30.0;
  for (i64 n = bar - 29; n <= bar; n++) {
    double away = s->volatilities[n & KEPT] - mean;
    squares += away * away;
  }
  s->vol_of_vol = mean > 0.0 ? sqrt(squares / 30.0) / mean : 0.0;
}

static void bands(State *s, i64 bar) {
  double squares = 0.0;
  s->sma_20 = mean_of_closes(s, bar, 20);
  for (i64 n = bar - 19; n <= bar; n++) {
    double away = s->closes[n & KEPT] - s->sma_20;
    squares += away * away;
  }
  s->deviation = sqrt(squares / 20.0);
  double keltner = 3.0 * s->m1.true_range;
  s->squeeze = keltner > 0.0 ? 4.0 * s->deviation / keltner : 1.0;
  s->squeezed = ((s->squeezed << 1) | (s->squeeze < 1.0)) & ((1 << 20) - 1);
  double high = -INFINITY, low = INFINITY;
  for (i64 n = bar - 19; n <= bar; n++) {
    high = larger(high, s->highs[n & KEPT]);
    low = smaller(low, s->lows[n & KEPT]);
  }
  s->channel_high = high, s->channel_low = low;
}

static void close_minute(State *s, i64 minute, double close, double log_close) {
  i64 bar = s->m1.bars;
  s->closes[bar & KEPT] = close;
  s->log_closes[bar & KEPT] = log_close;
  s->highs[bar & KEPT] = s->m1.high;
  s->lows[bar & KEPT] = s->m1.low;
  close_frame(&s->m1, close);
  macd(s, close, bar);
  vol_of_vol(s, bar);
  if (bar >= 19) bands(s, bar);
  widen(&s->m5, &s->m1);
  widen(&s->h1, &s->m1);
  if (minute / 5 != s->minute / 5) {
    close_frame(&s->m5, close);
    reopen(&s->m5);
  }
  if (minute / 60 != s->minute / 60) {
    close_frame(&s->h1, close);
    reopen(&s->h1);
  }
  reopen(&s->m1);
}

static void open_slot(State *s, i64 slot) {
  static const i64 windows[7] = {10, 50, 100, 150, 300, 600, 3000};
  if (s->slot >= 0) {
    i64 at = s->head & MASK;
    s->ring_slot[at] = s->slot;
    s->ring_log_mid[at] = s->log_mid;
    const i64 *counters = &s->ticks;
    for (int n = 0; n < 10; n++) s->ring[at][n] = counters[n];
    s->head++;
  }
  s->slot = slot;
  s->ring_slot[s->head & MASK] = slot;
  for (int w = 0; w < 7; w++) {
    i64 due = slot - windows[w], mark = s->marks[w] + 1;
    mark += s->ring_slot[mark & MASK] <= due;
    mark += s->ring_slot[mark & MASK] <= due;
    while (s->ring_slot[mark & MASK] <= due) mark++;
    s->marks[w] = mark - 1;
  }
}

static void move_clock(State *s, i64 time_msc) {
  s->time_msc = time_msc;
  i64 slot = time_msc / 100;
  if (slot == s->slot) return;
  if (slot / 10 != s->second) {
    if (s->second >= 0) {
      double move = (s->log_mid - s->second_log_mid) * 1e4;
      s->squares += (i64)(smaller(move * move * 1e6, 1e15) + 0.5);
      s->second_log_mid = s->log_mid;
    }
    s->second = slot / 10;
    i64 minute = slot / 600;
    if (minute != s->minute) {
      if (s->minute >= 0) close_minute(s, minute, s->mid, s->log_mid);
      s->minute = minute;
      double angle = (double)(minute % 1440) * (2.0 * M_PI / 1440.0);
      s->time_sin = sin(angle);
      s->time_cos = cos(angle);
    }
  }
  open_slot(s, slot);
}

static void count_trade(State *s, const Tick *t, double mid) {
  if (t->last <= 0.0 || (t->flags & 120) == 0) return;
  i64 side = ((t->flags & 32) != 0) - ((t->flags & 64) != 0);
  if (side == 0) side = (t->last > mid) - (t->last < mid);
  i64 lots = (i64)(smaller(t->volume * 1e6, 1e12) + 0.5);
  s->signed_volume += side * lots;
  s->volume += lots;
  s->trades++;
}

static void count(State *s, const Tick *t, double mid, double spread_bp) {
  double log_mid = log(mid);
  if (s->ticks == 0) {
    s->second_log_mid = log_mid;
  } else {
    s->net += (mid > s->mid) - (mid < s->mid);
    i64 rising = (t->bid > s->bid) + (t->ask > s->ask);
    i64 falling = (t->bid < s->bid) + (t->ask < s->ask);
    s->pressure += rising - falling;
    s->moves += rising + falling;
  }
  if (t->volume > 0.0) count_trade(s, t, mid);
  s->m1.high = larger(s->m1.high, mid);
  s->m1.low = smaller(s->m1.low, mid);
  double points = floor(spread_bp * 1e3 + 0.5);
  i64 spread = (i64)smaller(larger(points, -1e6), 1e6);
  s->ticks++;
  s->spreads += spread;
  s->spread_squares += spread * spread;
  s->bid = t->bid, s->ask = t->ask, s->mid = mid, s->log_mid = log_mid;
}

static void write_bars(const State *s, double mid, float *row) {
  double bp = 1e4 / mid;
  i64 bars = s->m1.bars;
  row[0] = bars >= 15 ? s->m1.rsi : NAN;
  row[1] = bars >= 26 ? s->macd * bp : NAN;
  row[2] = bars >= 34 ? s->macd_signal * bp : NAN;
  row[3] = bars >= 34 ? (s->macd - s->macd_signal) * bp : NAN;
  if (bars < 20) {
    row[4] = row[5] = row[6] = row[7] = NAN;
  } else {
    double away = mid - s->sma_20, width = 4.0 * s->deviation;
    row[4] = away * bp;
    row[5] = (mid - s->m1.ema_20) * bp;
    row[6] = width > 0.0 ? 0.5 + away / width : 0.5;
    row[7] = width * bp;
  }
  row[24] = s->m5.bars >= 15 ? s->m5.rsi : NAN;
  row[25] = s->h1.bars >= 15 ? s->h1.rsi : NAN;
  row[26] = s->m5.bars >= 20 ? (mid - s->m5.ema_20) * bp : NAN;
  row[27] = s->h1.bars >= 20 ? (mid - s->h1.ema_20) * bp : NAN;
  row[28] = bars >= 15 ? s->m1.true_range * bp : NAN;
  row[29] = s->m5.bars >= 15 ? s->m5.true_range * bp : NAN;
  row[30] = s->h1.bars >= 15 ? s->h1.true_range * bp : NAN;
  row[31] = bars < 15 ? NAN : (s->log_mid - s->log_closes[(bars - 15) & KEPT]) * 1e4;
  row[32] = bars < 60 ? NAN : (s->log_mid - s->log_closes[(bars - 60) & KEPT]) * 1e4;
  row[33] = bars >= 30 ? s->vol_of_vol : NAN;
  if (bars < 20) {
    for (int n = 35; n < 40; n++) row[n] = NAN;
    return;
  }
  double width = s->channel_high - s->channel_low, range = s->m1.true_range;
  double beyond = larger(mid - s->channel_high, 0.0) + smaller(mid - s->channel_low, 0.0);
  double size = range > 0.0 ? beyond / range : 0.0;
  row[35] = s->squeeze;
  row[37] = width > 0.0 ? (mid - s->channel_low) / width : 0.5;
  row[38] = size;
  row[36] = row[39] = NAN;
  if (bars < 39) return;
  double squeezed = __builtin_popcountll(s->squeezed) / 20.0;
  row[36] = squeezed;
  row[39] = fabs(size) / (1.0 + fabs(size)) * (1.0 + squeezed) / 2.0;
}

static void write_windows(const State *s, double spread_bp, float *row) {
  static const int returns[6] = {0, 1, 3, 4, 5, 6};
  const i64 *then[7];
  for (int w = 0; w < 7; w++) then[w] = s->marks[w] < 0 ? 0 : s->ring[s->marks[w] & MASK];
  for (int n = 0; n < 6; n++) {
    i64 mark = s->marks[returns[n]];
    row[8 + n] = mark >= 0 ? (s->log_mid - s->ring_log_mid[mark & MASK]) * 1e4 : NAN;
  }
  double short_ = then[5] ? sqrt((double)(s->squares - then[5][2]) * 1e-6) : NAN;
  double long_ = then[6] ? sqrt((double)(s->squares - then[6][2]) * 1e-6) : NAN;
  row[14] = short_;
  row[15] = long_;
  row[16] = spread_bp;
  row[17] = NAN;
  if (then[6]) {
    double ticks = (double)(s->ticks - then[6][0]);
    double mean = (double)(s->spreads - then[6][3]) / ticks;
    double variance = (double)(s->spread_squares - then[6][4]) / ticks - mean * mean;
    row[17] = variance > 1e-6 ? (spread_bp * 1e3 - mean) / sqrt(variance) : 0.0;
  }
  for (int n = 0; n < 2; n++) {
    const i64 *t = then[n ? 5 : 3];
    if (!t) {
      row[18 + n] = row[40 + n] = row[43 + n] = NAN;
      continue;
    }
    i64 moves = s->moves - t[6], volume = s->volume - t[8];
    row[18 + n] = (double)(s->net - t[1]) / (double)(s->ticks - t[0]);
    row[40 + n] = moves > 0 ? (double)(s->pressure - t[5]) / (double)moves : 0.0;
    row[43 + n] = s->trades == 0 ? NAN
                  : volume > 0   ? (double)(s->signed_volume - t[7]) / (double)volume
                                 : 0.0;
  }
  row[20] = then[2] ? (double)(s->ticks - then[2][0]) / 10.0 : NAN;
  row[21] = then[5] ? (double)(s->ticks - then[5][0]) / 60.0 : NAN;
  row[22] = s->time_sin;
  row[23] = s->time_cos;
  row[34] = !then[6] ? NAN : long_ > 0.0 ? short_ / long_ * sqrt(5.0) : 1.0;
  row[42] = row[45] = NAN;
  if (then[5]) {
    double mean = (double)(s->spreads - then[5][3]) / (double)(s->ticks - then[5][0]);
    row[42] = mean > 0.0 ? spread_bp * 1e3 / mean : 1.0;
    if (s->trades) row[45] = (double)(s->trades - then[5][9]) / 60.0;
  }
  for (int n = PEERS; n < COLUMNS; n++) row[n] = NAN;
}

/* As `update` of the kernel; `out` has COLUMNS floats a row. */
i64 update(State *s, const Tick *ticks, i64 count_, i64 sample_ms, float *out, i64 *out_index) {
  i64 rows = 0;
  for (i64 n = 0; n < count_; n++) {
    const Tick *t = &ticks[n];
    int late = (t->quality & 8) != 0 || t->time_msc < s->time_msc;
    if (late || !(t->bid > 0.0 && t->ask > 0.0)) continue;
    double mid = (t->bid + t->ask) / 2.0, spread_bp = (t->ask - t->bid) / mid * 1e4;
    move_clock(s, t->time_msc);
    count(s, t, mid, spread_bp);
    if (sample_ms > 0) {
      if (t->time_msc < s->span_end) continue;
      s->span_end = (t->time_msc / sample_ms + 1) * sample_ms;
    }
    write_bars(s, mid, out + rows * COLUMNS);
    write_windows(s, spread_bp, out + rows * COLUMNS);
    out_index[rows++] = n;
  }
  return rows;
}
