/**
 * The fields of a JSON Schema, each in words: type with range, default, meaning.
 *
 * @module
 */
import type { JsonSchema } from "../client/cli/spec_json_schema.ts";
import { formatDuration } from "../shared/protocol/duration.ts";
import { isRecord } from "../shared/space/problem.ts";

/** A field, in Markdown. */
export interface Field {
  /** Members of a list stand under `[]`. */
  readonly path: string;
  readonly type: string;
  /** `required` or `none` where there is none; empty for a part that is made of its fields' defaults. */
  readonly default: string;
  readonly meaning: string;
}

/** A field as it stands in one of the forms of what it belongs to. */
interface Place {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
  /** What holds where nothing is said: the part's own default goes before the field's. */
  readonly preset: unknown;
  /** The form's kind; none where all forms have the field, and say the same of it. */
  readonly kind: string | undefined;
}

/** From here on a bound says nothing to a person. */
const BOUND_MAX = 2 ** 50;

/** All fields of an object's schema, in its order. */
export function fieldsOf(schema: JsonSchema): readonly Field[] {
  const places = Map.groupBy(placesIn(schema, "", schema["default"]), ({ path }) => path);
  return [...places].map(([path, all]) => fieldAt(path, all));
}

function placesIn(schema: JsonSchema, path: string, preset: unknown): readonly Place[] {
  const { items } = schema;
  const inItems = isRecord(items)
    ? placesIn(items, `${path}[]`, Array.isArray(preset) ? preset[0] : undefined)
    : [];
  const forms = formsOf(schema);
  const own = forms.flatMap((form) => {
    const { properties, required } = form;
    if (!isRecord(properties)) return [];
    return Object.entries(properties).filter(isNamedSchema).map(([name, inner]): Place => ({
      path: path === "" ? name : `${path}.${name}`,
      schema: inner,
      isRequired: Array.isArray(required) && required.includes(name),
      preset: (isRecord(preset) ? preset[name] : undefined) ?? inner["default"],
      kind: forms.every((other) => wordsIn(other, name) === wordsIn(form, name)) ? undefined : kindOf(form),
    }));
  });
  return [
    ...own.flatMap((place) => [place, ...placesIn(place.schema, place.path, place.preset)]),
    ...inItems,
  ];
}

function isNamedSchema(entry: [string, unknown]): entry is [string, JsonSchema] {
  return isRecord(entry[1]);
}

function formsOf(schema: JsonSchema): readonly JsonSchema[] {
  const forms = schema["anyOf"] ?? schema["oneOf"];
  return Array.isArray(forms) ? forms.filter(isRecord) : [schema];
}

function kindOf({ properties }: JsonSchema): string | undefined {
  const schemas = isRecord(properties) ? Object.values(properties).filter(isRecord) : [];
  const kind = schemas.find((schema) => "const" in schema)?.["const"];
  return typeof kind === "string" ? kind : undefined;
}

function wordsIn({ properties }: JsonSchema, name: string): unknown {
  const field = isRecord(properties) ? properties[name] : undefined;
  return isRecord(field) ? field["description"] : undefined;
}

function fieldAt(path: string, places: readonly Place[]): Field {
  const types = new Set(places.map(({ schema }) => typeOf(schema)));
  const isKind = places.some(({ schema }) => "const" in schema);
  const isDuration = places.some(({ schema }) => schema["title"] === "duration");
  return {
    path,
    type: [...types].join(isKind ? ", " : " or "),
    default: defaultOf(places, isDuration),
    meaning: meaningOf(places),
  };
}

/** The default; where the kinds differ in it, each behind the kinds that it holds for. */
function defaultOf(places: readonly Place[], isDuration: boolean): string {
  const preset = places.filter((place) => place.preset !== undefined);
  if (preset.length === 0) return places.every(({ isRequired }) => isRequired) ? "required" : "none";
  const values = Map.groupBy(preset, (place) => valueText(place.preset, isDuration));
  const [first = ""] = values.keys();
  if (values.size === 1 || preset.some(({ kind }) => kind === undefined)) return first;
  return [...values].map(([value, said]) => {
    const kinds = said.flatMap(({ kind }) => kind === undefined ? [] : [`\`${kind}\``]);
    return `${kinds.join(", ")}: ${value}`;
  }).join("; ");
}

/** What the places say; each sentence behind the kinds that it holds for, where it does not hold for all. */
function meaningOf(places: readonly Place[]): string {
  const sentences = Map.groupBy(places, ({ schema }) => String(schema["description"] ?? ""));
  return [...sentences].map(([sentence, said]) => {
    const kinds = new Set(said.flatMap(({ kind }) => kind === undefined ? [] : [`\`${kind}\``]));
    return kinds.size === 0
      ? sentence
      : `${[...kinds].join(", ")}: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
  }).join(" ");
}

/** A type with its range. The longest a text may be is left out: nobody comes near. */
function typeOf(schema: JsonSchema): string {
  const { title, type, properties } = schema;
  if (typeof title === "string") return title;
  const choices = "const" in schema ? [schema["const"]] : schema["enum"];
  if (Array.isArray(choices)) return choices.map((choice) => `\`${choice}\``).join(", ");
  const forms = formsOf(schema);
  if (forms.every((form) => kindOf(form) !== undefined)) return "by `kind`";
  if (forms.length > 1) return forms.map(typeOf).join(" or ");
  if (type === "array") return listOf(schema);
  if (type === "boolean") return "true, false";
  if (type === "object") return isRecord(properties) ? `\`{ ${Object.keys(properties).join(", ")} }\`` : "";
  return type === "string"
    ? "text"
    : [String(type ?? ""), rangeOf(schema)].filter((part) => part !== "").join(", ");
}

/** Such as `list of 1 to 16 texts`. */
function listOf({ items, prefixItems, minItems, maxItems }: JsonSchema): string {
  const member: unknown = Array.isArray(prefixItems) ? prefixItems[0] : items;
  const amount = typeof maxItems === "number" ? amountOf(Number(minItems ?? 0), maxItems) : "";
  const members = [amount, isRecord(member) ? membersOf(member) : ""].filter((part) => part !== "").join(" ");
  return members === "" ? "list" : `list of ${members}`;
}

function amountOf(least: number, most: number): string {
  if (least === most) return amountText(most);
  return least === 0 ? `at most ${amountText(most)}` : `${amountText(least)} to ${amountText(most)}`;
}

function membersOf(schema: JsonSchema): string {
  const { type } = schema;
  const word = typeOf(schema);
  if (type === "object" || word === "") return "";
  if (type !== "string" && typeof type === "string") {
    return `${type}s${rangeOf(schema).replace(/^(?=.)/, ", each ")}`;
  }
  return word === "text" ? "texts" : word;
}

/** Such as `2 to 10,000`. */
function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const [least, above, most, below] = [minimum, exclusiveMinimum, maximum, exclusiveMaximum].map(boundOf);
  if (least !== undefined && most !== undefined) {
    return least === -most ? `±${amountText(most)}` : `${amountText(least)} to ${amountText(most)}`;
  }
  const words: readonly (readonly [string, number | undefined])[] = [
    ["from", least],
    ["above", above],
    ["to", most],
    ["below", below],
  ];
  return words.flatMap(([word, bound]) => bound === undefined ? [] : [`${word} ${amountText(bound)}`]).join(
    ", ",
  );
}

function boundOf(bound: unknown): number | undefined {
  return typeof bound === "number" && Math.abs(bound) < BOUND_MAX ? bound : undefined;
}

function amountText(amount: number): string {
  return amount.toLocaleString("en-US");
}

/** A value as one would write it in YAML; nothing for a part that is left to its fields. */
function valueText(value: unknown, isDuration: boolean): string {
  if (isDuration && typeof value === "number" && value > 0) return formatDuration(value * 1_000);
  if (!isRecord(value) && !Array.isArray(value)) return String(value);
  const text = flowText(value);
  return text === "{}" ? "" : `\`${text}\``;
}

function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(", ")}]`;
  if (!isRecord(value)) return String(value);
  const entries = Object.entries(value).map(([name, inner]) => `${name}: ${flowText(inner)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}
