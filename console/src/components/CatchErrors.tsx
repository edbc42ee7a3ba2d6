// A page that breaks does not take the console with it.
import { Component, type ReactNode } from 'react';
import { Failed } from './States';

interface Props {
  children: ReactNode;
  /** A new value tries again: another page was opened. */
  resetBy: string;
}

export class CatchErrors extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidUpdate(before: Props) {
    if (before.resetBy !== this.props.resetBy && this.state.error) this.setState({ error: null });
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return <Failed error={this.state.error} retry={() => this.setState({ error: null })} />;
  }
}
