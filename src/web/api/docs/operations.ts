import type { DocumentedSchema } from "./schema-example.js";

interface DocumentedMedia {
  readonly schema?: DocumentedSchema;
}

export interface DocumentedParameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: DocumentedSchema;
}

export interface DocumentedAnswer {
  readonly description: string;
  readonly content?: Readonly<Record<string, DocumentedMedia>>;
}

/** An operation as the OpenAPI document has it. */
export interface DocumentedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly DocumentedParameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, DocumentedMedia>> };
  readonly responses: Readonly<Record<string, DocumentedAnswer>>;
}

/** A message to a customer's program as the OpenAPI document has it. */
export interface DocumentedMessage extends Pick<DocumentedOperation, "summary" | "parameters" | "responses"> {
  readonly requestBody: { readonly content: Readonly<Record<string, DocumentedMedia>> };
}

/** What the pages read of the OpenAPI document. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  /** By the message's type. */
  readonly webhooks: Readonly<Record<string, { readonly post: DocumentedMessage }>>;
}

/** An operation with its address. */
export interface PlacedOperation extends DocumentedOperation {
  readonly method: string;
  readonly path: string;
}

/** The operations below their headings, both in the order of the document. */
export function operationsByTag({ paths }: ApiDocument): ReadonlyMap<string, readonly PlacedOperation[]> {
  const groups = new Map<string, PlacedOperation[]>();
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0] ?? "Others";
      groups.set(tag, [...(groups.get(tag) ?? []), { ...operation, method: method.toUpperCase(), path }]);
    }
  return groups;
}
