import type { Random } from "../world/random.js";

interface PersonName {
  readonly firstName: string;
  readonly lastName: string;
}

/** The people of every seeded account, in the order of their roles; see `PortalSeed.users`. */
export const USER_NAMES: readonly PersonName[] = [
  { firstName: "Ada", lastName: "Brandt" },
  { firstName: "Miguel", lastName: "Soto" },
  { firstName: "Hanna", lastName: "Virtanen" },
  { firstName: "Owen", lastName: "Clarke" },
  { firstName: "Priya", lastName: "Raman" },
  { firstName: "Noah", lastName: "Inboxless" },
  { firstName: "Petra", lastName: "Seatless" },
  { firstName: "Gus", lastName: "Departed" },
];

export const SEQUENCE_NAMES: readonly string[] = [
  "Outbound EMEA",
  "Outbound North America",
  "Inbound demo request",
  "Trial started",
  "Trial ending",
  "Webinar follow-up",
  "Conference leads",
  "Pricing page visitors",
  "Renewal in 90 days",
  "Win back closed-lost",
  "New champion at customer",
  "Partner introduction",
];

const FIRST_NAMES = [
  ..."Alice Ben Carla David Elif Frank Grace Hugo Ines Jonas Kira Liam Maya Nils Olivia Pablo".split(" "),
  ..."Quinn Rosa Samir Tessa Umar Vera Will Xenia Yusuf Zoe Amara Bruno Chiara Dmitri".split(" "),
];
const LAST_NAMES = [
  ..."Adler Baker Costa Dubois Evans Fischer Garcia Hansen Ito Jensen Kowalski Larsen Moreau".split(" "),
  ..."Novak Okafor Petrov Quist Rossi Silva Tanaka Ueda Vargas Weber Xu Yilmaz Zhang Abbott".split(" "),
  ..."Bauer Chandra Duarte Eriksen Flores Grant".split(" "),
];
const COMPANIES = [
  ..."Brightforge Northlake Quarrystone Silverbirch Tidewater Ironbridge Maplegrove Bluehaven".split(" "),
  ..."Copperfield Stonegate Windmere Fairoak Harborview Redwood Clearspring".split(" "),
];

/** Walks through all pairs of names before one comes again. */
export function contactName(index: number, random: Random): PersonName {
  const firstName = FIRST_NAMES[index % FIRST_NAMES.length] ?? random.pick(FIRST_NAMES);
  const lastName = LAST_NAMES[(index * 7 + Math.floor(index / FIRST_NAMES.length)) % LAST_NAMES.length];
  return { firstName, lastName: lastName ?? random.pick(LAST_NAMES) };
}

/** Domains end in `.example`, which nobody can own (RFC 2606). */
export function companyAddress(random: Random): { company: string; domain: string } {
  const company = random.pick(COMPANIES);
  return { company, domain: `${company.toLowerCase()}.example` };
}
