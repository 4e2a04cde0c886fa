import { listDeliveries } from "#domain/subscriptions/deliveries.js";
import type { Webhook } from "#domain/subscriptions/webhook.js";
import { readFields, readId } from "#web/kit/form-fields.js";
import type { Exchange } from "../frame/exchange.js";
import { createFormat } from "../words/format.js";
import type { DeliveriesModel } from "./delivery-list.js";
import { DELIVERY_FILTERS } from "./webhook-words.js";

const PAGE_SIZE = 25;

/** The page of a webhook's messages that an address asks for; what it says that is not understood is left out. */
export async function readDeliveries(
  { options, visit, request }: Exchange,
  webhook: Webhook,
): Promise<DeliveriesModel> {
  const { portalId, timeZone } = visit.portal;
  const query = readFields(request.query);
  const filter = DELIVERY_FILTERS.find(({ word }) => word === query.text("state")) ?? DELIVERY_FILTERS[0];
  const before = readId(query.text("before"));
  const found = await listDeliveries(options.database.pool, {
    portalId,
    webhookId: webhook.id,
    limit: PAGE_SIZE + 1,
    beforeId: before,
    state: filter.state,
  });
  return {
    webhook,
    filter,
    before,
    deliveries: found.slice(0, PAGE_SIZE),
    hasMore: found.length > PAGE_SIZE,
    now: options.now(),
    format: createFormat(timeZone, options.now()),
    formToken: options.sessions.formToken(visit.session),
  };
}
