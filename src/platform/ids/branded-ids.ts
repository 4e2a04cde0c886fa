declare const brand: unique symbol;

/**
 * Ids of different things do not mix: a user's id where a portal's is wanted does not compile, though both are a
 * `bigint` when the app runs. The brand is optional: a plain `bigint`, as PostgreSQL and Prisma return it or a test
 * writes it, needs no cast. Once it is stored under a named property, the compiler knows which kind of id it is.
 */
type Id<Name extends string> = bigint & { readonly [brand]?: Name };

/** HubSpot's id of an account that installed the app ("portal" in HubSpot's API). */
export type PortalId = Id<"portal">;

/** HubSpot's id of a person who signs in to HubSpot: a sender, an admin, a viewer. Not the id of an owner. */
export type UserId = Id<"user">;

/** Our id of one execution: what a workflow's action, the API or an import asked for one contact. */
export type ExecutionId = Id<"execution">;
