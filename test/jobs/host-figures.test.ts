import { describeWithCases, describeWithData } from '../data';
import { compressed, GIVEN, type HostCase, REAL, SIBLINGS } from './host-cases';

function judge(cases: readonly HostCase[]): void {
  test.each(cases.map((each) => [each.what, each] as const))(
    '%s: what compress prints is what eval finds, and no step is worse than plain rounding',
    async (_what, { files, adaround }) => {
      const paths = await files();
      const plain = await compressed(paths, { biasCorrection: false });
      expect(plain.report.judgedBy).toEqual({ executor: 'native', reason: null });
      expect(plain.foundDb).toBeGreaterThan(20);
      const careful = { avoidSaturation: true };
      const others =
        adaround === undefined
          ? []
          : ([{ layers: { [adaround]: { rounding: 'adaround' } } }, { biasCorrection: true }, careful] as const);
      for (const options of others) {
        const { printedDb, foundDb } = await compressed(paths, options);
        expect(Math.abs(printedDb - foundDb)).toBeLessThan(0.5);
        // Up to one bit of some weights is the price of the last.
        expect(foundDb).toBeGreaterThan(plain.foundDb - (options === careful ? 7 : 0.3));
      }
      expect(Math.abs(plain.printedDb - plain.foundDb)).toBeLessThan(0.5);
    },
  );
}

describe('figures are the same on every host', () => judge(SIBLINGS));
describeWithCases('figures of cases are the same on every host', () => judge(GIVEN));
describeWithData('figures of real models are the same on every host', () => judge(REAL));
