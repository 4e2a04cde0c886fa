import type { Pool } from "pg";
import type { ExplainMany } from "#domain/dry-run/explain-many.js";
import type { KeyCipher } from "#domain/imports/create-close-import.js";
import type { CloseClient } from "#platform/close/close-client.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import type { TraceAccepting } from "#platform/observability/tracing/tracing.js";

/** What the work on imports needs. */
export interface ImportTools {
  readonly pool: Pool;
  readonly logger: Logger;
  readonly wake: (portalId: PortalId) => void;
  readonly gatewayOf: (portalId: PortalId) => PortalGateway;
  readonly explainMany: ExplainMany;
  /** Opens the key to Close that an import needs while it is read. */
  readonly cipher: KeyCipher;
  readonly closeOf: (apiKey: string) => CloseClient;
  readonly traceAccepting: TraceAccepting;
  /** True once the process is stopping. */
  readonly isEnding: () => boolean;
}
