import type { Config } from "../config.js";

/** The passwords of addresses that have one. */
function passwordsOf(urls: readonly (string | undefined)[]): string[] {
  const given = urls.filter((url) => url !== undefined && URL.canParse(url)) as string[];
  return given.flatMap((url) => {
    const { password } = new URL(url);
    return [password, decoded(password)];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

type Holder = Pick<
  Config,
  "databaseUrl" | "encryptionKeys" | "hubspot" | "mail" | "metricsToken" | "sessionSecrets"
>;

/**
 * Every secret that the operator gave the app: no log line may have one, wherever it comes from.
 *
 * @param config a command may know a part of it only
 */
export function ownSecrets(config: Partial<Holder>): readonly string[] {
  const { databaseUrl, encryptionKeys = [], hubspot, mail, metricsToken, sessionSecrets = [] } = config;
  return [
    ...sessionSecrets,
    ...(metricsToken === undefined ? [] : [metricsToken]),
    ...(hubspot?.clientSecrets ?? []),
    ...encryptionKeys.map(({ key }) => key.toString("base64")),
    ...passwordsOf([databaseUrl, mail?.smtpUrl]),
  ];
}
