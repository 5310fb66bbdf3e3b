export { openRocksDB, type RocksDBOptions } from './rocksdb-engine.ts';
