const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** nginx's `$time_local`, made once per second. */
export function createLocalTime(): (ms: number) => string {
  let lastSecond = -1;
  let lastText = "";
  return (ms) => {
    const second = Math.floor(ms / 1000);
    if (second !== lastSecond) {
      lastSecond = second;
      lastText = renderLocalTime(new Date(second * 1000));
    }
    return lastText;
  };
}

function renderLocalTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  return `${day}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}

/** The decimals of a number of seconds, by milliseconds: a look-up costs a sixth of `toFixed`. */
const DECIMALS = Array.from({ length: 1000 }, (_, ms) => `.${String(ms).padStart(3, "0")}`);

/** Milliseconds as nginx writes times: seconds with three decimals. */
export function seconds(ms: number): string {
  const whole = Math.round(ms);
  return `${Math.floor(whole / 1000)}${DECIMALS[whole % 1000]}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** nginx's `$time_iso8601`, in UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "+00:00");
}
