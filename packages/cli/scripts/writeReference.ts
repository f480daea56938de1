import { writeFile } from 'node:fs/promises';
import { reference } from './reference.ts';

for (const { file, text } of reference()) await writeFile(file, text);
