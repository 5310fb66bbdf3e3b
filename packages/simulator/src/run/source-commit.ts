import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The commit of this repository, which a seed holds for; undefined where the simulator was installed. */
export function sourceCommit(): string | undefined {
  const git = (...args: string[]): string => {
    const folder = fileURLToPath(new URL('.', import.meta.url));
    return execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  };
  try {
    // Not the repository of somebody whose node_modules we are in.
    if (!git('rev-parse', '--show-prefix').startsWith('packages/simulator/')) return undefined;
    return git('rev-parse', '--short', 'HEAD');
  } catch {
    return undefined;
  }
}
