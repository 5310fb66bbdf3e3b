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
  readonly cluster: ClusterConfig;
  readonly store: StoreConfig;
}

export interface StoreConfig {
  readonly thread: 'main' | 'worker';
}

/** One node among others. */
export interface ClusterConfig {
  readonly id: string;
  /** From 1; 0 when there is no cluster: the rest means nothing then. */
  readonly node: number;
  readonly listen: string;
  readonly peers: readonly PeerConfig[];
  readonly join: boolean;
  readonly tickMs: number;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly leaseMs: number;
  readonly leaderWaitMs: number;
  readonly snapshotBytesPerSecond: number;
}

export interface PeerConfig {
  readonly id: number;
  /** `host:port` other nodes reach it by. */
  readonly address: string;
  /** Where clients reach it. */
  readonly url: string;
}

export interface ServerQueryLimits {
  readonly memoryBytesMax: number;
  readonly runtimeMsMax: number;
  readonly rowsMax: number;
}
