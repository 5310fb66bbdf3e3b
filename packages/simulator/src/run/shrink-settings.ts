import { canBeOff, hasWork, type Settings } from './settings.ts';

/**
 * Fewer settings that still fail: faults and parts of the workload are switched off one by one, then
 * the run is made shorter, as long as `fails` holds.
 */
export async function shrinkSettings(
  failing: Settings,
  fails: (settings: Settings) => Promise<boolean>,
): Promise<Settings> {
  let settings = failing;
  const attempt = async (change: Partial<Settings>): Promise<boolean> => {
    const candidate = { ...settings, ...change };
    if (!(await fails(candidate))) return false;
    settings = candidate;
    return true;
  };
  for (let hasChanged = true; hasChanged;) {
    hasChanged = false;
    for (const name of canBeOff)
      if (settings[name] > 0 && hasWork({ ...settings, [name]: 0 }))
        hasChanged = (await attempt({ [name]: 0 })) || hasChanged;
    for (const factor of [0.5, 0.75, 0.9]) {
      const seconds = Math.max(1, Math.floor(settings.seconds * factor));
      if (seconds < settings.seconds) hasChanged = (await attempt({ seconds })) || hasChanged;
    }
    if (settings.clients > 1)
      hasChanged = (await attempt({ clients: settings.clients - 1 })) || hasChanged;
  }
  return settings;
}
