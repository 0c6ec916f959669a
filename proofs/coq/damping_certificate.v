(* Theory of bounds, section 2, L6(b): capacity of thermal relaxation (amplitude
   damping, at any temperature, with extra dephasing).

   A memory qubit keeps its population with eta = 1 - gamma, its coherence with c, and
   relaxes to excited population e. J is the channel's Choi matrix in the basis
   |in, out>, G its partial transpose on the output:
     J_00 = 1-gamma*e, J_01 = gamma*e, J_10 = gamma*(1-e), J_11 = 1-gamma*(1-e),
   and G has the pair c at (01, 10). The feasible point is, with
   r = max(0, (c-eta)/2):
     Sigma = diag(s0, s1), s0 = 1-gamma*e+r, s1 = 1-gamma*(1-e)+r,
     R = diag(1-gamma*e, s1, s0, 1-gamma*(1-e)) with the pair r at (01, 10).
   It must satisfy -R <= G <= R and -I(x)Sigma <= R^T2 <= I(x)Sigma. All matrices are
   real and symmetric, so the quadratic form on real vectors decides. The hypothesis
   c*c <= eta is T2 <= 2*T1. *)

Require Import Reals Lra Psatz.
Open Scope R_scope.

(* Amplitude damping alone, x = sqrt(eta) = c. *)
Theorem damping_identity : forall x,
  ((x + x * x) / 2) * ((4 + x - 3 * x * x) / 2)
    - ((3 * x - x * x) / 2) * ((3 * x - x * x) / 2)
  = x * (1 - x) * (1 + x * x).
Proof. intros; field. Qed.

Theorem damping_determinant : forall x, 0 <= x <= 1 ->
  ((3 * x - x * x) / 2) * ((3 * x - x * x) / 2)
    <= ((x + x * x) / 2) * ((4 + x - 3 * x * x) / 2).
Proof.
  intros x [H0 H1].
  assert (0 <= x * (1 - x) * (1 + x * x)).
  { apply Rmult_le_pos; [apply Rmult_le_pos |]; nra. }
  pose proof (damping_identity x). lra.
Qed.

Definition excess (eta c : R) : R := Rmax 0 ((c - eta) / 2).

Lemma excess_cases : forall eta c,
  (c <= eta /\ excess eta c = 0) \/ (eta <= c /\ excess eta c = (c - eta) / 2).
Proof.
  intros eta c. unfold excess. destruct (Rle_or_lt c eta).
  - left. split; [assumption |]. apply Rmax_left. lra.
  - right. split; [lra |]. apply Rmax_right. lra.
Qed.

(* The determinant at the worst diagonal a = eta, as a sum of three terms. *)
Theorem relaxation_identity : forall eta c,
  (eta + (c - eta) / 2) * (2 - eta + (c - eta) / 2)
    - (c + (c - eta) / 2) * (c + (c - eta) / 2)
  = (eta - c * c) + c * (1 - c) + eta * (c - eta).
Proof. intros; field. Qed.

Theorem relaxation_determinant : forall eta c a,
  0 <= eta <= 1 -> 0 <= c -> c * c <= eta -> eta <= a <= 2 - eta ->
  (c + excess eta c) * (c + excess eta c)
    <= (a + excess eta c) * (2 - a + excess eta c).
Proof.
  intros eta c a Heta Hc Hcc Ha.
  assert (Hedge : (eta + excess eta c) * (2 - eta + excess eta c)
                  <= (a + excess eta c) * (2 - a + excess eta c)) by nra.
  apply Rle_trans with (2 := Hedge).
  destruct (excess_cases eta c) as [[H ->] | [H ->]]; [nra |].
  pose proof (relaxation_identity eta c). assert (c <= 1) by nra.
  assert (0 <= c * (1 - c)) by nra. assert (0 <= eta * (c - eta)) by nra. lra.
Qed.

Theorem relaxation_off_diagonal : forall eta c, 0 <= eta -> 0 <= c ->
  Rabs (c - excess eta c) <= eta + excess eta c.
Proof.
  intros eta c Heta Hc. apply Rabs_le.
  destruct (excess_cases eta c) as [[H ->] | [H ->]]; lra.
Qed.

Lemma square_nonnegative : forall x, 0 <= x * x.
Proof. exact Rle_0_sqr. Qed.

Lemma form_nonnegative : forall p q m u v,
  0 <= p -> 0 <= q -> m * m <= p * q ->
  0 <= p * (u * u) + 2 * m * (u * v) + q * (v * v).
Proof.
  intros p q m u v [Hp | <-] Hq Hm.
  - assert (H : p * (p * (u * u) + 2 * m * (u * v) + q * (v * v))
      = (p * u + m * v) * (p * u + m * v) + (p * q - m * m) * (v * v)) by ring.
    pose proof (square_nonnegative (p * u + m * v)).
    assert (0 <= (p * q - m * m) * (v * v)).
    { apply Rmult_le_pos; [lra | apply square_nonnegative]. }
    apply Rmult_le_reg_l with p; lra.
  - assert (m = 0) as -> by nra. pose proof (square_nonnegative v). nra.
Qed.

(* The certificate. A real vector has entries v00, v01, v10, v11. *)
Definition choi_form (gamma e c v00 v01 v10 v11 : R) : R :=
  (1 - gamma * e) * (v00 * v00) + gamma * e * (v01 * v01)
  + gamma * (1 - e) * (v10 * v10) + (1 - gamma * (1 - e)) * (v11 * v11)
  + 2 * c * (v01 * v10).

Definition sigma0 (gamma e c : R) : R := 1 - gamma * e + excess (1 - gamma) c.
Definition sigma1 (gamma e c : R) : R := 1 - gamma * (1 - e) + excess (1 - gamma) c.

Definition sigma_form (gamma e c v00 v01 v10 v11 : R) : R :=
  sigma0 gamma e c * (v00 * v00 + v10 * v10)
  + sigma1 gamma e c * (v01 * v01 + v11 * v11).

(* R, and its partial transpose: the pair r moves from (01, 10) to (00, 11). *)
Definition bound_diagonal (gamma e c v00 v01 v10 v11 : R) : R :=
  (1 - gamma * e) * (v00 * v00) + sigma1 gamma e c * (v01 * v01)
  + sigma0 gamma e c * (v10 * v10) + (1 - gamma * (1 - e)) * (v11 * v11).
Definition bound_form (gamma e c v00 v01 v10 v11 : R) : R :=
  bound_diagonal gamma e c v00 v01 v10 v11 + 2 * excess (1 - gamma) c * (v01 * v10).
Definition bound_transposed (gamma e c v00 v01 v10 v11 : R) : R :=
  bound_diagonal gamma e c v00 v01 v10 v11 + 2 * excess (1 - gamma) c * (v00 * v11).

Definition admissible (gamma e c : R) : Prop :=
  0 <= gamma <= 1 /\ 0 <= e <= 1 /\ 0 <= c /\ c * c <= 1 - gamma.

Lemma excess_nonnegative : forall eta c, 0 <= excess eta c.
Proof. intros. apply Rmax_l. Qed.

Ltac facts gamma e c :=
  pose proof (excess_nonnegative (1 - gamma) c);
  assert (0 <= gamma * e) by nra; assert (gamma * e <= gamma) by nra;
  assert (0 <= gamma * (1 - e)) by nra.

Theorem choi_below_bound : forall gamma e c, admissible gamma e c ->
  forall v00 v01 v10 v11,
  choi_form gamma e c v00 v01 v10 v11 <= bound_form gamma e c v00 v01 v10 v11.
Proof.
  intros gamma e c [Hg [He [Hc Hcc]]] v00 v01 v10 v11. facts gamma e c.
  unfold choi_form, bound_form, bound_diagonal, sigma0, sigma1.
  set (r := excess (1 - gamma) c) in *.
  assert (Hform : 0 <= (1 - gamma + r) * (v01 * v01) + 2 * (r - c) * (v01 * v10)
                       + (1 - gamma + r) * (v10 * v10)).
  { apply form_nonnegative; try lra.
    assert (Habs : Rabs (c - r) <= 1 - gamma + r)
      by (apply relaxation_off_diagonal; lra).
    pose proof (Rle_abs (c - r)). pose proof (Rle_abs (- (c - r))) as Hminus.
    rewrite Rabs_Ropp in Hminus. nra. }
  lra.
Qed.

Theorem bound_above_minus_choi : forall gamma e c, admissible gamma e c ->
  forall v00 v01 v10 v11,
  - bound_form gamma e c v00 v01 v10 v11 <= choi_form gamma e c v00 v01 v10 v11.
Proof.
  intros gamma e c [Hg [He [Hc Hcc]]] v00 v01 v10 v11. facts gamma e c.
  unfold choi_form, bound_form, bound_diagonal, sigma0, sigma1.
  set (r := excess (1 - gamma) c) in *.
  set (a := 1 - gamma + 2 * (gamma * e)).
  assert (Hform : 0 <= (a + r) * (v01 * v01) + 2 * (c + r) * (v01 * v10)
                       + (2 - a + r) * (v10 * v10)).
  { apply form_nonnegative; unfold a; try lra.
    apply relaxation_determinant; unfold a in *; lra. }
  pose proof (square_nonnegative v00). pose proof (square_nonnegative v11).
  assert (0 <= (1 - gamma * e) * (v00 * v00)) by (apply Rmult_le_pos; lra).
  assert (0 <= (1 - gamma * (1 - e)) * (v11 * v11)) by (apply Rmult_le_pos; lra).
  unfold a in Hform. lra.
Qed.

Theorem transposed_below_sigma : forall gamma e c, admissible gamma e c ->
  forall v00 v01 v10 v11,
  bound_transposed gamma e c v00 v01 v10 v11 <= sigma_form gamma e c v00 v01 v10 v11.
Proof.
  intros gamma e c _ v00 v01 v10 v11.
  pose proof (excess_nonnegative (1 - gamma) c).
  unfold bound_transposed, bound_diagonal, sigma_form, sigma0, sigma1.
  set (r := excess (1 - gamma) c) in *.
  pose proof (square_nonnegative (v00 - v11)).
  assert (0 <= r * ((v00 - v11) * (v00 - v11))) by (apply Rmult_le_pos; lra). lra.
Qed.

Theorem minus_sigma_below_transposed : forall gamma e c, admissible gamma e c ->
  forall v00 v01 v10 v11,
  - sigma_form gamma e c v00 v01 v10 v11 <= bound_transposed gamma e c v00 v01 v10 v11.
Proof.
  intros gamma e c [Hg [He [Hc Hcc]]] v00 v01 v10 v11. facts gamma e c.
  unfold bound_transposed, bound_diagonal, sigma_form, sigma0, sigma1.
  set (r := excess (1 - gamma) c) in *.
  pose proof (square_nonnegative (v00 + v11)). pose proof (square_nonnegative v00).
  pose proof (square_nonnegative v01). pose proof (square_nonnegative v10).
  pose proof (square_nonnegative v11).
  assert (0 <= r * ((v00 + v11) * (v00 + v11))) by (apply Rmult_le_pos; lra).
  assert (0 <= (1 - gamma * e) * (v00 * v00)) by (apply Rmult_le_pos; lra).
  assert (0 <= (1 - gamma * (1 - e)) * (v11 * v11)) by (apply Rmult_le_pos; lra).
  assert (0 <= (1 - gamma * (1 - e) + r) * (v01 * v01)) by (apply Rmult_le_pos; lra).
  assert (0 <= (1 - gamma * e + r) * (v10 * v10)) by (apply Rmult_le_pos; lra).
  lra.
Qed.

Theorem sigma_trace : forall gamma e c,
  sigma0 gamma e c + sigma1 gamma e c = 1 + Rmax (1 - gamma) c.
Proof.
  intros gamma e c. unfold sigma0, sigma1.
  destruct (excess_cases (1 - gamma) c) as [[H ->] | [H ->]];
    [rewrite Rmax_left by exact H | rewrite Rmax_right by exact H]; field.
Qed.
