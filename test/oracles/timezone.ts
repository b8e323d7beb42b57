// The time zone of the recorded machine: US Eastern, as /adm/timezone has it. The names and offsets of standard
// and summer time, then when each summer begins and ends.

/** Seconds since 1970 of the nth Sunday of a month (-1: the last), at this hour in GMT. */
function sunday(year: number, month: number, nth: number, hour: number): number {
  const first = new Date(Date.UTC(year, month, 1)).getUTCDay();
  const days = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const one = 1 + ((7 - first) % 7);
  const day = nth > 0 ? one + 7 * (nth - 1) : one + 7 * Math.floor((days - one) / 7);
  return Date.UTC(year, month, day, hour) / 1000;
}

/** The text of /env/timezone. */
export function eastern(): string {
  const times: number[] = [];
  for (let year = 1970; year <= 2037; year++) {
    const late = year >= 2007;
    const start = late ? sunday(year, 2, 2, 7) : sunday(year, 3, year < 1987 ? -1 : 1, 7);
    times.push(start, late ? sunday(year, 10, 1, 6) : sunday(year, 9, -1, 6));
  }
  return `EST -18000 EDT -14400\n${times.join(" ")}\n`;
}
