/** What our side answers (its schemas are in src/web/tab/; a test holds the two together). */
export interface Overview {
  connection: {
    isConnected: boolean;
    disconnectedReason: string | null;
    missingScopes: string[];
  };
  /** ISO 8601, as all instants here. */
  pausedSince: string | null;
  trouble: { since: string; restsUntil: string; lastFailure: string | null; ownFault: string | null } | null;
  today: {
    since: string;
    enrolled: number;
    alreadyEnrolled: number;
    skipped: number;
    failed: number;
    waiting: number;
    isPartial: boolean;
  };
  /** What to do something about, each with its page of the settings site. */
  attention: { text: string; url: string }[];
  /** False for somebody who may only look. */
  mayChange: boolean;
  timeZone: string;
  siteUrl: string;
}

export interface Choice {
  value: string;
  label: string;
}

export interface Defaults {
  /** Opaque; goes back with a change. */
  version: string;
  senderUserId: string | null;
  presetId: string | null;
  senders: Choice[];
  /** There are more people than are listed. */
  isSendersCut: boolean;
  presets: Choice[];
}

export type DefaultsChange = Pick<Defaults, "version" | "senderUserId" | "presetId">;

/** `refused`: our side answered with a code and a sentence for the person. `unreachable`: it did not, or not usefully. */
export type Answer<Value> =
  | { kind: "answered"; value: Value }
  | { kind: "refused"; code: string; message: string }
  | { kind: "unreachable" };

export interface SettingsApi {
  readonly readOverview: () => Promise<Answer<Overview>>;
  readonly changePause: (isPaused: boolean) => Promise<Answer<Overview>>;
  readonly readDefaults: () => Promise<Answer<Defaults>>;
  readonly saveDefaults: (change: DefaultsChange) => Promise<Answer<Defaults>>;
}

interface FetchOptions {
  method?: "GET" | "PUT" | "POST";
  timeout?: number;
  body?: Record<string, unknown>;
}

export interface SettingsApiOptions {
  /** Where our side is; undefined where the project was uploaded without a profile. */
  publicUrl: unknown;
  /** `hubspot.fetch`: signs, and adds who is asking. */
  fetch: (url: string, options?: FetchOptions) => Promise<Pick<Response, "ok" | "json">>;
}

const TIMEOUT_MS = 10_000;

export function createSettingsApi({ publicUrl, fetch }: SettingsApiOptions): SettingsApi {
  async function ask<Value>(path: string, options: FetchOptions = {}): Promise<Answer<Value>> {
    if (typeof publicUrl !== "string") return NO_ADDRESS;
    try {
      const response = await fetch(`${publicUrl}/hubspot/settings/${path}`, {
        ...options,
        timeout: TIMEOUT_MS,
      });
      const body = (await response.json()) as unknown;
      if (response.ok) return { kind: "answered", value: body as Value };
      return isRefusal(body)
        ? { kind: "refused", code: body.code, message: body.message }
        : { kind: "unreachable" };
    } catch {
      return { kind: "unreachable" };
    }
  }
  return {
    readOverview: () => ask("overview"),
    changePause: (isPaused) => ask("pause", { method: "POST", body: { isPaused } }),
    readDefaults: () => ask("defaults"),
    saveDefaults: (change) => ask("defaults", { method: "PUT", body: { ...change } }),
  };
}

const NO_ADDRESS = {
  kind: "refused",
  code: "NO_ADDRESS",
  message:
    "This build of the app does not know the address of its own server. Its developer has to upload the project with a profile.",
} as const;

function isRefusal(body: unknown): body is { code: string; message: string } {
  const { code, message } = (body ?? {}) as Record<string, unknown>;
  return typeof code === "string" && typeof message === "string";
}
