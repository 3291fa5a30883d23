/**
 * The spec as JSON Schema: completion and checks in editors, and the names that a key can be mistaken for.
 *
 * @module
 */
import { z } from "zod";
import { specSchema } from "../../shared/protocol/spec.ts";
import { isRecord } from "../../shared/space/problem.ts";

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A space in a module of the user's, which only a spec file may name: it is written out before it is sent. */
const moduleSpace: JsonSchema = {
  type: "object",
  description: "a space that a TypeScript module exports as `space` or by default",
  properties: {
    kind: { type: "string", const: "module", description: "A TypeScript module." },
    path: { type: "string", minLength: 1, description: "The file." },
  },
  required: ["kind", "path"],
  additionalProperties: false,
};

/** The JSON Schema of a spec file. */
export function specJsonSchema(): JsonSchema {
  const schema: JsonSchema = z.toJSONSchema(specSchema, {
    io: "input",
    // What a transformation takes is told by the union in front of it.
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      // Bounds of the number type itself say nothing to a person.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  const properties = isRecord(schema["properties"]) ? schema["properties"] : {};
  const space = isRecord(properties["space"]) ? properties["space"] : {};
  const { anyOf: _anyOf, oneOf: _oneOf, ...told } = space;
  return {
    ...schema,
    title: "Espalier experiment",
    properties: { ...properties, space: { ...told, anyOf: [...formsOf(space), moduleSpace] } },
  };
}

/** The keys that an object may have at a path of a spec, as far as the value tells which form was meant. */
export function keysAt(path: readonly (string | number)[], spec: unknown): readonly string[] {
  const root = specJsonSchema();
  let schemas: readonly JsonSchema[] = [root];
  let value = spec;
  for (const key of path) {
    schemas = expand(schemas, value, root).flatMap((schema) => child(schema, key));
    value = isRecord(value) || Array.isArray(value) ? Reflect.get(value, key) : undefined;
  }
  const keys = expand(schemas, value, root).flatMap(({ properties }) =>
    isRecord(properties) ? Object.keys(properties) : []
  );
  return [...new Set(keys)];
}

function formsOf(schema: unknown): readonly unknown[] {
  if (!isRecord(schema)) return [];
  const forms = schema["anyOf"] ?? schema["oneOf"];
  return Array.isArray(forms) ? forms : [schema];
}

/** References followed, unions opened, and of their forms those whose fixed values agree with what was written. */
function expand(schemas: readonly JsonSchema[], value: unknown, root: JsonSchema): readonly JsonSchema[] {
  return schemas.flatMap((schema): readonly JsonSchema[] => {
    const reference = schema["$ref"];
    if (typeof reference === "string") return expand(resolve(reference, root), value, root);
    const forms = ["anyOf", "oneOf", "allOf"].flatMap((name) => {
      const inner = schema[name];
      return Array.isArray(inner) ? inner.filter(isRecord) : [];
    });
    return forms.length === 0 ? [schema] : expand(forms, value, root).filter((form) => agrees(form, value));
  });
}

function agrees({ properties }: JsonSchema, value: unknown): boolean {
  if (!isRecord(properties) || !isRecord(value)) return true;
  return Object.entries(properties).every(([name, schema]) =>
    !isRecord(schema) || !("const" in schema) || value[name] === undefined || value[name] === schema["const"]
  );
}

function resolve(reference: string, root: JsonSchema): readonly JsonSchema[] {
  let found: unknown = root;
  for (const name of reference.split("/").slice(1)) found = isRecord(found) ? found[name] : undefined;
  return isRecord(found) ? [found] : [];
}

function child(schema: JsonSchema, key: string | number): readonly JsonSchema[] {
  const { properties, additionalProperties, items } = schema;
  const inner = typeof key === "number" ? items : isRecord(properties) ? properties[key] : undefined;
  const found = inner ?? additionalProperties;
  return isRecord(found) ? [found] : [];
}
