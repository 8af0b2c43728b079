/** An entry as Loki takes it. */
export interface LokiEntry {
  readonly labels: Readonly<Record<string, string>>;
  /** Nanoseconds since the epoch: more than a number can tell apart. */
  readonly timeNs: string;
  readonly line: string;
}

/** Entries with the same labels. */
interface LokiStream {
  readonly stream: Readonly<Record<string, string>>;
  readonly values: (readonly [timeNs: string, line: string])[];
}

/** The body of a push: a stream for each set of labels (Loki HTTP API, `POST /loki/api/v1/push`). */
export function renderStreams(entries: readonly LokiEntry[]): string {
  const streams = new Map<string, LokiStream>();
  for (const { labels, line, timeNs } of entries) {
    const key = JSON.stringify(labels);
    let stream = streams.get(key);
    if (stream === undefined) {
      stream = { stream: labels, values: [] };
      streams.set(key, stream);
    }
    stream.values.push([timeNs, line]);
  }
  return JSON.stringify({ streams: [...streams.values()] });
}
