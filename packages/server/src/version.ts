/** Of the server; equal to the package's. A test holds them together. */
export const version = '0.1.0';
