/** Bounds of what one entity or transaction may hold. All are part of the error texts. */
export interface StoreLimits {
  /** Encoded document, in bytes. */
  readonly documentBytesMax: number;
  /** Nesting of arrays and objects; the document itself is level 1. */
  readonly depthMax: number;
  /** Attributes of one object. */
  readonly attributesMax: number;
  readonly transactionWritesMax: number;
  readonly transactionBytesMax: number;
}

export const defaultLimits: StoreLimits = {
  documentBytesMax: 16 * 1024 * 1024,
  depthMax: 128,
  attributesMax: 10_000,
  transactionWritesMax: 1_000_000,
  transactionBytesMax: 512 * 1024 * 1024,
};
