import fc from 'fast-check';
import {
  addBoard,
  type Inventory,
  inventoryText,
  namedBoard,
  parseInventory,
  resolveBoard,
} from '../../lib/boards/inventory';

const coded = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });
const PI = { name: 'pi5', destination: { kind: 'ssh', user: 'pi', host: 'raspberrypi.local' } } as const;

test('boards by name, in order, and what is no name is a destination', () => {
  const boards = addBoard(addBoard([], 'pi5', 'pi@raspberrypi.local'), 'lab', 'ssh://root@10.0.0.7:2222', '/opt/hone');
  expect(boards.map(({ name }) => name)).toEqual(['lab', 'pi5']);
  expect(namedBoard(boards, 'pi5')).toEqual(PI);
  expect(resolveBoard(boards, 'lab')).toMatchObject({ destination: { host: '10.0.0.7' }, folder: '/opt/hone' });
  expect(resolveBoard(boards, 'other')).toEqual({ name: 'other', destination: { kind: 'ssh', host: 'other' } });
  expect(resolveBoard(boards, 'local').destination).toEqual({ kind: 'local' });
  expect(() => namedBoard(boards, 'pi6')).toThrow(
    expect.objectContaining({ code: 'E_BOARD_NAME', hint: expect.stringMatching(/'pi5'/) }),
  );
  expect(() => resolveBoard(boards, '-x')).toThrow(coded('E_BOARD_DESTINATION', /./));
});

test.each([
  ['local', 'h', undefined, 'E_BOARD_NAME'],
  ['pi5', 'h', undefined, 'E_BOARD_NAME'],
  ['-pi', 'h', undefined, 'E_BOARD_NAME'],
  ['a b', 'h', undefined, 'E_BOARD_NAME'],
  ['a\u001b', 'h', undefined, 'E_BOARD_NAME'],
  ['a'.repeat(64), 'h', undefined, 'E_BOARD_NAME'],
  ['b', '-oX', undefined, 'E_BOARD_DESTINATION'],
  ['b', 'h', '../up', 'E_BOARD_FOLDER'],
])('%j at %j in %j is refused', (name, destination, folder, code) => {
  expect(() => addBoard([PI], name, destination, folder)).toThrow(coded(code, /./));
});

test('the text of an inventory is read as it was', () => {
  const board = fc.record({
    name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/).filter((name) => name !== 'local'),
    host: fc.domain(),
    folder: fc.option(fc.stringMatching(/^[a-z]{1,9}$/), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(board, { selector: ({ name }) => name, maxLength: 8 }), (boards) => {
      const made = boards.reduce<Inventory>((all, { name, host, folder }) => addBoard(all, name, host, folder), []);
      expect(parseInventory(inventoryText(made), 'boards.json')).toEqual(made);
    }),
  );
});

test.each([
  ['', /JSON/],
  ['null', /version is undefined/],
  ['{"version":2,"boards":[]}', /version is 2, 1 is known/],
  ['{"version":1}', /boards/],
  ['{"version":1,"boards":[],"more":1}', /more/],
  ['{"version":1,"boards":[{"name":"a b","destination":"h"}]}', /boards\.0\.name/],
  ['{"version":1,"boards":[{"name":"a","destination":"h"},{"name":"a","destination":"i"}]}', /twice/],
])('%s is refused', (text, message) => {
  expect(() => parseInventory(text, 'boards.json')).toThrow(coded('E_BOARD_INVENTORY', message));
});

test('a destination in the file is read as strictly as one that is typed', () => {
  const text = '{"version":1,"boards":[{"name":"a","destination":"-oProxyCommand=id"}]}';
  expect(() => parseInventory(text, 'boards.json')).toThrow(coded('E_BOARD_DESTINATION', /./));
});
