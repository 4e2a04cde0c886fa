import { Gauge } from "prom-client";
import { PREFIX, type Metrics } from "./metrics.js";

/** A value with the labels it stands under. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A gauge whose samples are read at each scrape. If they cannot be read, it has none: an old value would pass for a new one. */
export interface ReadGauge {
  /** Without our prefix. */
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  readonly read: () => readonly Sample[] | Promise<readonly Sample[]>;
}

export function addGauge({ registry }: Pick<Metrics, "registry">, gauge: ReadGauge): void {
  new Gauge({
    name: PREFIX + gauge.name,
    help: gauge.help,
    labelNames: [...(gauge.labelNames ?? [])],
    registers: [registry],
    async collect() {
      let samples: readonly Sample[] = [];
      try {
        samples = await gauge.read();
      } catch {
        // Left out; `readyz` says what is wrong with the database.
      }
      this.reset();
      if (samples.length === 0 && gauge.labelNames === undefined) this.remove();
      for (const { labels = {}, value } of samples) this.set(labels, value);
    },
  });
}

/**
 * Shares one reading among all gauges and scrapes within `freshMs`: some of what is read has to be counted row by row.
 * A reading that failed is not kept.
 */
export function readAtMost<Figures>(freshMs: number, read: () => Promise<Figures>): () => Promise<Figures> {
  let reading: Promise<Figures> | undefined;
  let freshUntilMs = -Infinity;
  return () => {
    const nowMs = performance.now();
    if (reading !== undefined && nowMs < freshUntilMs) return reading;
    freshUntilMs = nowMs + freshMs;
    const begun = read();
    reading = begun;
    begun.catch(() => {
      if (reading === begun) reading = undefined;
    });
    return begun;
  };
}
