/** A tiny registry in Prometheus' text format 0.0.4: counters, gauges read when asked, histograms. */
export class MetricsRegistry {
  readonly #families: Family[] = [];

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    const counter = new Counter(labels);
    this.#families.push({ name, help, type: 'counter', write: (out) => counter.write(name, out) });
    return counter;
  }

  /** `read` is asked at each scrape; undefined leaves the metric out. */
  gauge(name: string, help: string, read: () => number | undefined): void {
    this.#read(name, help, 'gauge', read);
  }

  /** A counter that someone else counts. */
  counted(name: string, help: string, read: () => number | undefined): void {
    this.#read(name, help, 'counter', read);
  }

  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels: readonly string[] = [],
  ): Histogram {
    const histogram = new Histogram(labels, buckets);
    this.#families.push({
      name,
      help,
      type: 'histogram',
      write: (out) => histogram.write(name, out),
    });
    return histogram;
  }

  text(): string {
    const out: string[] = [];
    for (const { name, help, type, write } of this.#families) {
      out.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      write(out);
    }
    return out.join('\n') + '\n';
  }

  #read(name: string, help: string, type: string, read: () => number | undefined): void {
    const write = (out: string[]): void => {
      const value = read();
      if (value !== undefined) out.push(`${name} ${number(value)}`);
    };
    this.#families.push({ name, help, type, write });
  }
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  write(out: string[]): void;
}

export class Counter {
  readonly #labels: readonly string[];
  readonly #series = new Map<string, { value: number }>();

  constructor(labels: readonly string[]) {
    this.#labels = labels;
  }

  /** The series of these label values; keep it where it is counted often. */
  series(...values: readonly string[]): { value: number } {
    const key = labelText(this.#labels, values);
    let series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, (series = { value: 0 }));
    return series;
  }

  write(name: string, out: string[]): void {
    for (const [labels, { value }] of this.#series) {
      out.push(`${name}${braces(labels)} ${number(value)}`);
    }
  }
}

export interface HistogramSeries {
  readonly counts: Float64Array;
  sum: number;
}

export class Histogram {
  readonly #labels: readonly string[];
  readonly #buckets: readonly number[];
  readonly #series = new Map<string, HistogramSeries>();

  constructor(labels: readonly string[], buckets: readonly number[]) {
    this.#labels = labels;
    this.#buckets = buckets;
  }

  series(...values: readonly string[]): HistogramSeries {
    const key = labelText(this.#labels, values);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { counts: new Float64Array(this.#buckets.length + 1), sum: 0 };
      this.#series.set(key, series);
    }
    return series;
  }

  observe(series: HistogramSeries, value: number): void {
    let bucket = 0;
    while (bucket < this.#buckets.length && value > this.#buckets[bucket]!) bucket++;
    series.counts[bucket]!++;
    series.sum += value;
  }

  write(name: string, out: string[]): void {
    for (const [labels, { counts, sum }] of this.#series) {
      const comma = labels === '' ? '' : ',';
      let total = 0;
      counts.forEach((count, i) => {
        total += count;
        const bound = i < this.#buckets.length ? String(this.#buckets[i]) : '+Inf';
        out.push(`${name}_bucket{${labels}${comma}le="${bound}"} ${total}`);
      });
      out.push(
        `${name}_sum${braces(labels)} ${number(sum)}`,
        `${name}_count${braces(labels)} ${total}`,
      );
    }
  }
}

function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, i) => `${name}="${escape(values[i] ?? '')}"`).join(',');
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function number(value: number): string {
  return Number.isNaN(value) ? 'NaN' : String(value);
}
