import { z } from 'zod';
import { recipeSchema } from '../../lib/compress/recipe/recipe-schema';

/** docs/recipe.schema.json: the JSON schema of recipes as they are written. */
export function recipeSchemaPage(): string {
  const schema = z.toJSONSchema(recipeSchema, { io: 'input' });
  return `${JSON.stringify({ ...schema, title: 'Hone recipe' }, null, 2)}\n`;
}
