import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { CollectionSpecBody, IndexSpecBody } from '@themisdb/protocol';

/** One collection of the demonstration: what it is, and its rows read from a public data set. */
export interface Dataset {
  readonly spec: CollectionSpecBody;
  readonly indexes: readonly IndexSpecBody[];
  /** Where the rows come from, for people who want to look. */
  readonly source: string;
  rows(): Record<string, unknown>[];
}

const folder = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data');

function readText(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

export function readJson(name: string): Record<string, unknown>[] {
  return JSON.parse(readText(name)) as Record<string, unknown>[];
}

export function readCsv(name: string): Record<string, string>[] {
  return parse(readText(name), { columns: true, skip_empty_lines: true }) as Record<
    string,
    string
  >[];
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "Jun 12 1998" and "Jan 1 2000" as 1998-06-12; two-digit and broken dates as null. */
export function isoDate(text: unknown): string | null {
  const parts = /^([A-Z][a-z]{2}) (\d{1,2}) (\d{4})$/.exec(String(text));
  if (parts === null) return null;
  const month = months.indexOf(parts[1]!) + 1;
  if (month === 0) return null;
  return `${parts[3]}-${String(month).padStart(2, '0')}-${parts[2]!.padStart(2, '0')}`;
}

const airports: Dataset = {
  source: 'airports.csv',
  spec: {
    name: 'airports',
    model: 'relational',
    columns: [
      { name: 'iata', type: 'string', notNull: true, unique: true },
      { name: 'name', type: 'string', notNull: true },
      { name: 'city', type: 'string' },
      { name: 'state', type: 'string' },
      { name: 'country', type: 'string', notNull: true },
      { name: 'latitude', type: 'float', notNull: true },
      { name: 'longitude', type: 'float', notNull: true },
      { name: 'hub', type: 'bool', notNull: true, default: false },
    ],
  },
  indexes: [{ name: 'by_state', fields: ['state', 'city'] }],
  rows: () =>
    readCsv('airports.csv').map((row) => ({
      _key: row['iata'],
      iata: row['iata'],
      name: row['name'],
      city: row['city'] || null,
      state: row['state'] || null,
      country: row['country'],
      latitude: Number(row['latitude']),
      longitude: Number(row['longitude']),
    })),
};

const routes: Dataset = {
  source: 'flights-airport.csv',
  spec: { name: 'routes', type: 'edge' },
  indexes: [{ name: 'by_flights', fields: ['flights'] }],
  rows: () =>
    readCsv('flights-airport.csv').map((row) => ({
      _key: `${row['origin']}-${row['destination']}`,
      _from: `airports/${row['origin']}`,
      _to: `airports/${row['destination']}`,
      flights: Number(row['count']),
    })),
};

const flights: Dataset = {
  source: 'flights-20k.json',
  spec: { name: 'flights' },
  indexes: [{ name: 'by_origin', fields: ['origin', 'date'], storedValues: ['delay', 'distance'] }],
  rows: () =>
    readJson('flights-20k.json').map((row, i) => ({
      _key: String(i),
      ...row,
      date: String(row['date']).replace(' ', 'T').replaceAll('/', '-'),
    })),
};

const movies: Dataset = {
  source: 'movies.json',
  spec: {
    name: 'movies',
    schema: {
      level: 'moderate',
      message: 'a film needs a usable rating',
      rule: {
        properties: {
          rating: { type: ['number', 'null'], minimum: 0, maximum: 10 },
          gross: { type: ['number', 'null'], minimum: 0 },
        },
      },
    },
  },
  indexes: [
    { name: 'by_director', fields: ['director', 'released'] },
    { name: 'by_rating', fields: ['rating'] },
  ],
  rows: () =>
    readJson('movies.json').map((row, i) => ({
      _key: String(i),
      title: row['Title'] === null ? null : String(row['Title']),
      director: row['Director'],
      genre: row['Major Genre'],
      distributor: row['Distributor'],
      released: isoDate(row['Release Date']),
      budget: row['Production Budget'],
      gross: typeof row['Worldwide Gross'] === 'number' ? row['Worldwide Gross'] : null,
      rating: row['IMDB Rating'],
      votes: row['IMDB Votes'],
    })),
};

const cars: Dataset = {
  source: 'cars.json',
  spec: { name: 'cars' },
  indexes: [{ name: 'by_origin', fields: ['Origin'] }],
  rows: () => readJson('cars.json').map((row, i) => ({ _key: String(i), ...row })),
};

const stocks: Dataset = {
  source: 'stocks.csv',
  spec: { name: 'stocks' },
  indexes: [{ name: 'by_symbol', fields: ['symbol', 'date'], unique: true }],
  rows: () =>
    readCsv('stocks.csv').map((row) => ({
      symbol: row['symbol'],
      date: isoDate(row['date']),
      price: Number(row['price']),
    })),
};

const weather: Dataset = {
  source: 'weather.csv',
  spec: {
    name: 'weather',
    model: 'relational',
    columns: [
      { name: 'location', type: 'string', notNull: true },
      { name: 'date', type: 'date', notNull: true },
      { name: 'precipitation', type: 'float' },
      { name: 'temp_max', type: 'float' },
      { name: 'temp_min', type: 'float' },
      { name: 'wind', type: 'float' },
      { name: 'weather', type: 'string' },
    ],
  },
  indexes: [{ name: 'by_day', fields: ['location', 'date'], unique: true }],
  rows: () =>
    readCsv('weather.csv').map((row) => ({
      location: row['location'],
      date: row['date'],
      precipitation: Number(row['precipitation']),
      temp_max: Number(row['temp_max']),
      temp_min: Number(row['temp_min']),
      wind: Number(row['wind']),
      weather: row['weather'],
    })),
};

export const datasets: readonly Dataset[] = [
  airports,
  routes,
  flights,
  movies,
  cars,
  stocks,
  weather,
];
