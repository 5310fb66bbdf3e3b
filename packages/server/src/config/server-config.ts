export interface ServerLimits {
  readonly bodyBytesMax: number;
  readonly depthMax: number;
  readonly attributesMax: number;
  readonly batchItemsMax: number;
  readonly requestTimeoutMs: number;
  readonly receiveTimeoutMs: number;
  readonly connectionsMax: number;
  readonly cursorsMax: number;
  readonly cursorIdleMs: number;
  readonly transactionsMax: number;
  readonly transactionIdleMs: number;
  readonly transactionLifeMs: number;
  readonly changefeedWaitMs: number;
  readonly changefeedHeartbeatMs: number;
}

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  readonly data: string;
  readonly engine: 'rocksdb' | 'memory';
  readonly cacheBytes: number;
  readonly hosts: readonly string[];
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly limits: ServerLimits;
  readonly query: ServerQueryLimits;
}

export interface ServerQueryLimits {
  readonly memoryBytesMax: number;
  readonly runtimeMsMax: number;
  readonly rowsMax: number;
}
