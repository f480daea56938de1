import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { unpacked } from './unpacked.ts';

/** Where an adapter may come from. */
export const adapterSources = ['own', 'installed', 'package'] as const;
export type AdapterSource = (typeof adapterSources)[number];

/** Something that may give an adapter. */
export interface AdapterCandidate {
  readonly source: AdapterSource;
  /** For people. */
  readonly origin: string;
  /** What a process needs in its environment before it starts. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Those of one source in the order in which they are tried: the machine's own, software that is installed, software that came with the development dependencies. */
export function adapterCandidates(): AdapterCandidate[] {
  const carried = unpacked('swiftshader', ['swiftshader.tar']);
  return [
    { source: 'own', origin: "the machine's own", environment: {} },
    // A machine in a container often has the driver of its GPU and no Vulkan loader.
    ...(carried
      ? [
          {
            source: 'own',
            origin: "the machine's own, through the Vulkan loader of @sparticuz/chromium",
            environment: libraryPath([carried]),
          } as const,
        ]
      : []),
    ...installedDrivers().map((driver): AdapterCandidate => ({
      source: 'installed',
      origin: driver,
      environment: driverEnvironment(driver, carried ? [carried] : []),
    })),
    ...(carried
      ? [
          {
            source: 'package',
            origin: 'SwiftShader of @sparticuz/chromium',
            environment: driverEnvironment(join(carried, 'vk_swiftshader_icd.json')),
          } as const,
        ]
      : []),
  ];
}

/** Manifests of software drivers: SwiftShader as Chromium carries it, Mesa's lavapipe. */
const installedDrivers = (): string[] => [
  ...[
    '/usr/lib/chromium',
    '/usr/lib/chromium-browser',
    '/usr/lib64/chromium-browser',
    '/opt/google/chrome',
    '/opt/chromium.org/chromium',
    '/snap/chromium/current/usr/lib/chromium-browser',
  ]
    .map((folder) => join(folder, 'vk_swiftshader_icd.json'))
    .filter((file) => existsSync(file)),
  ...['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /^lvp_icd.*\.json$/.test(name))
        .map((name) => join(folder, name)),
    ),
];

/** Makes one driver the only one. */
function driverEnvironment(driver: string, libraries: readonly string[] = []): Record<string, string> {
  const folder = dirname(driver);
  return {
    ...libraryPath([folder, ...libraries]),
    VK_ICD_FILENAMES: driver,
    VK_DRIVER_FILES: driver,
    XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? folder,
  };
}

const libraryPath = (folders: readonly string[]): Record<string, string> => ({
  LD_LIBRARY_PATH: [...folders, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter),
});
