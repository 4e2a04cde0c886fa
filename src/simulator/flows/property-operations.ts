import { z } from "zod";

/*
 * Comparisons of a property with something, by HubSpot's OpenAPI file for v4: which members each type has, and of which
 * type they are. The file leaves operators, units and the like as free text, and so does this.
 */

const text = z.string();
const number = z.int32();

/** The time of day that some moments may name. */
const TIME_OF_DAY = {
  hour: number.optional(),
  minute: number.optional(),
  second: number.optional(),
  millisecond: number.optional(),
};

const reference = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.looseObject({ referenceType: z.literal(type), ...shape, ...TIME_OF_DAY });

const DAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"] as const;
const MONTHS = [
  ...(["JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE"] as const),
  ...(["JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"] as const),
] as const;

const indexReference = z.discriminatedUnion("referenceType", [
  reference("NOW", {}),
  reference("TODAY", {}),
  reference("WEEK", { dayOfWeek: z.enum(DAYS) }),
  reference("MONTH", { day: number }),
  ...(["QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR"] as const).map((type) =>
    reference(type, { day: number, month: number }),
  ),
]);

const offset = z.looseObject({
  milliseconds: number.optional(),
  seconds: number.optional(),
  minutes: number.optional(),
  hours: number.optional(),
  days: number.optional(),
  weeks: number.optional(),
  months: number.optional(),
  quarters: number.optional(),
  years: number.optional(),
});

const ZONE = { zoneId: text, timezoneSource: text.optional() };

const timePoint = z.discriminatedUnion("timeType", [
  z.looseObject({
    timeType: z.literal("DATE"),
    ...ZONE,
    year: number,
    month: number,
    day: number,
    ...TIME_OF_DAY,
  }),
  z.looseObject({ timeType: z.literal("INDEXED"), ...ZONE, indexReference, offset: offset.optional() }),
  z.looseObject({
    timeType: z.literal("PROPERTY_REFERENCED"),
    ...ZONE,
    property: text,
    referenceType: text,
  }),
]);

const COMMON = { operator: text, includeObjectsWithNoValueSet: z.boolean() };

const operation = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.looseObject({ operationType: z.literal(type), ...COMMON, ...shape });

const WITH_ANOTHER = { comparisonPropertyName: text, defaultComparisonValue: text.optional() };

/** Where an event has to lie in time: also a comparison of a property. */
export const timePointOperation = operation("TIME_POINT", {
  type: text,
  timePoint,
  endpointBehavior: text.optional(),
  propertyParser: text.optional(),
});

/** The one type of comparison that is known by another member than `operationType`. */
export const timeRangeOperation = z.looseObject({
  operationType: text,
  ...COMMON,
  type: z.literal("TIME_RANGED"),
  lowerBoundTimePoint: timePoint,
  upperBoundTimePoint: timePoint,
  lowerBoundEndpointBehavior: text.optional(),
  upperBoundEndpointBehavior: text.optional(),
  propertyParser: text.optional(),
});

/** What a property is compared with, and how. */
export const propertyOperation = z.union([
  z.discriminatedUnion("operationType", [
    operation("BOOL", { value: z.boolean() }),
    operation("NUMBER", { value: z.number() }),
    operation("NUMBER_RANGED", { lowerBound: z.int(), upperBound: z.int() }),
    operation("STRING", { value: text }),
    operation("MULTISTRING", { values: z.array(text) }),
    operation("ENUMERATION", { values: z.array(text) }),
    operation("ALL_PROPERTY", {}),
    operation("DATE", { year: number, month: text, day: number }),
    operation("DATETIME", { timestamp: z.int(), requiresTimeZoneConversion: z.boolean() }),
    operation("RANGED_DATE", {
      lowerBound: z.int(),
      upperBound: z.int(),
      requiresTimeZoneConversion: z.boolean(),
    }),
    operation("ROLLING_DATE_RANGE", { numberOfDays: number, requiresTimeZoneConversion: z.boolean() }),
    operation("ROLLING_PROPERTY_UPDATED", { numberOfDays: number }),
    operation("CALENDAR_DATE", {
      timeUnit: text,
      timeUnitCount: number.optional(),
      useFiscalYear: z.boolean().optional(),
      fiscalYearStart: z.enum(MONTHS).optional(),
    }),
    ...(["COMPARATIVE_PROPERTY_UPDATED", "COMPARATIVE_DATE", "COMPARATIVE_STRING"] as const).map((type) =>
      operation(type, WITH_ANOTHER),
    ),
    timePointOperation,
  ]),
  timeRangeOperation,
]);
