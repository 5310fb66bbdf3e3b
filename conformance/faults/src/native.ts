import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The path of the shim that makes disk calls fail (native/fault-shim.c). */
export function buildShim(): string {
  return build('fault-shim.so', ['-shared', '-fPIC', source('fault-shim.c'), '-ldl']);
}

/** The path of the program that cuts the power of a file system (native/power-cut.c). */
export function buildPowerCut(): string {
  return build('power-cut', [source('power-cut.c')]);
}

function source(name: string): string {
  return join(root, 'native', name);
}

function build(name: string, parameters: readonly string[]): string {
  const path = join(root, 'dist', name);
  mkdirSync(join(root, 'dist'), { recursive: true });
  execFileSync('cc', ['-O2', '-o', path, ...parameters], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return path;
}

export function hasProgram(name: string): boolean {
  const path = `${process.env['PATH'] ?? ''}:/sbin:/usr/sbin`;
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], {
      stdio: 'ignore',
      env: { ...process.env, PATH: path },
    });
    return true;
  } catch {
    return false;
  }
}

export function reasonNoCompiler(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  return hasProgram('cc') ? undefined : 'needs a C compiler (Debian package gcc)';
}
