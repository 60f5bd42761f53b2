/** What the operator tells the page: `/config.json`. */
import { SalonError, type Ways } from "@salon/client";

export interface AppConfig {
  /** Base addresses of signaling. */
  readonly signaling: readonly string[];
  /** How media nodes are reached, beside directly. */
  readonly ways: Ways;
  /** Where rooms can be started from this page: an endpoint that gives a user's app token. */
  readonly demo: { readonly token: string } | null;
}

export async function loadConfig(): Promise<AppConfig> {
  try {
    const response = await fetch("/config.json");
    return parseConfig(await response.json());
  } catch (error) {
    throw new SalonError("unreachable", "no configuration", { cause: error });
  }
}

export function parseConfig(value: unknown): AppConfig {
  const { signaling, ways, demo } = (value ?? {}) as {
    signaling?: unknown;
    ways?: Ways;
    demo?: { token?: unknown } | null;
  };
  const addresses = Array.isArray(signaling) ? signaling.filter((address) => typeof address === "string") : [];
  if (addresses.length === 0) throw new SalonError("unreachable", "the configuration names no signaling address");
  return {
    signaling: addresses,
    ways: ways ?? {},
    demo: typeof demo?.token === "string" ? { token: demo.token } : null,
  };
}

/** A token of the demo app for somebody who calls themselves so. */
export async function demoToken(config: AppConfig, name: string): Promise<string> {
  if (!config.demo) throw new SalonError("not-allowed", "rooms cannot be started from this page");
  try {
    const response = await fetch(`${config.demo.token}?${new URLSearchParams({ name }).toString()}`);
    if (!response.ok) throw new SalonError("invalid", await response.text());
    const { token } = (await response.json()) as { token: string };
    return token;
  } catch (error) {
    throw error instanceof SalonError ? error : new SalonError("unreachable", "no token", { cause: error });
  }
}
