import { readFileSync } from 'fs';
import { join } from 'path';

import Ajv2020 from 'ajv/dist/2020';

import { HintsModel } from '../hints/model';
import { LabMessage } from '../live/messages';
import { LiveModel } from '../live/model';
import { CLEAR, HELLO, MATRICES, PROGRESS, VERDICT } from './fixtures';

const schema = JSON.parse(
  readFileSync(
    join(__dirname, '../../../attention_course/live/messages.schema.json'),
    'utf-8'
  )
);
const ajv = new Ajv2020({ allowUnionTypes: true });
ajv.addSchema(schema, 'live');

const errors = (side: string, message: unknown): unknown => {
  const valid = ajv.getSchema(`live#/$defs/${side}`)!;
  return valid(message) ? null : valid.errors;
};

test.each([HELLO, MATRICES, VERDICT, PROGRESS, CLEAR])(
  'what these tests read is what the kernel may send: $type',
  message => {
    expect(errors('kernel_to_lab', message)).toBeNull();
  }
);

test('an opened hint is told in a message that the schema allows', () => {
  const sent: LabMessage[] = [];
  const model = new HintsModel(new LiveModel(), message => {
    sent.push(message);
    return true;
  });
  model.look(
    [
      {
        id: 'a',
        type: 'markdown',
        source: '<details><summary>1</summary>x</details>',
        hintFor: 'attention_scores',
        gradeId: null
      }
    ],
    0
  );
  model.openNext();
  expect(sent).toHaveLength(1);
  expect(errors('lab_to_kernel', sent[0])).toBeNull();
});

test('a refresh is a message that the schema allows', () => {
  const refresh: LabMessage = { version: 1, type: 'refresh' };
  expect(errors('lab_to_kernel', refresh)).toBeNull();
});

test('the schema refuses what it should', () => {
  expect(
    errors('lab_to_kernel', { type: 'hint_opened', tier: 9 })
  ).not.toBeNull();
});
