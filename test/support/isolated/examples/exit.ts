after(() => process.exit(0));

it('is followed by an exit that hides what else there is', () => undefined);
