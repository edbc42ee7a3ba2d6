// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { Menu } from '../src/components/Menu';

afterEach(cleanup);

const opened = () => {
  render(
    <>
      <div data-testid="around">
        <Menu label="More" items={[{ key: 'one', label: 'One', run: () => {} }]}>
          …
        </Menu>
      </div>
      <div data-testid="beside" />
    </>,
  );
  fireEvent.click(screen.getByRole('button', { name: 'More' }));
};

describe('an open menu', () => {
  it('stays while a list beside it scrolls', () => {
    opened();
    fireEvent.scroll(screen.getByTestId('beside'));
    expect(screen.queryByRole('menuitem')).not.toBeNull();
  });

  it.each([
    ['what it belongs to scrolls', () => fireEvent.scroll(screen.getByTestId('around'))],
    ['the page scrolls', () => fireEvent.scroll(document)],
    ['something else is pressed', () => fireEvent.pointerDown(screen.getByTestId('beside'))],
  ])('closes when %s', (_, act) => {
    opened();
    act();
    expect(screen.queryByRole('menuitem')).toBeNull();
  });
});
