// @vitest-environment jsdom
// Where the focus goes when another page comes.
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { setOut } from '../src/components/arrival';
import { Page } from '../src/components/Page';

afterEach(cleanup);

describe('a page that comes', () => {
  it('has a name, and takes the focus of the link that led to it', () => {
    render(<a href="/users">Users</a>);
    screen.getByRole('link').focus();
    setOut();
    render(<Page title="Users">all</Page>);
    expect(document.title).toBe('Users · Wunder Channels');
    expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'Users' }));
  });

  it('takes no focus where the reader types or moved on, nor where they came without a step of theirs', () => {
    render(<input aria-label="search" />);
    const field = screen.getByLabelText('search');
    field.focus();
    setOut();
    render(<Page title="Found">all</Page>);
    expect(document.activeElement).toBe(field);
    field.blur();
    render(<Page title="Later">all</Page>);
    expect(document.activeElement).toBe(document.body);
  });

  it('leaves the focus to a field of its own', () => {
    setOut();
    render(
      <Page title="New">
        <input aria-label="name" autoFocus />
      </Page>,
    );
    expect(document.activeElement).toBe(screen.getByLabelText('name'));
  });
});
