(* Steps A1.5 and A1.7: binary relative entropy, its joint convexity for finite
   averages with edges included, and the substitution of worst-case errors.

   In nats. The tangent of the logarithm is all that is needed. *)

Require Import Reals Lra Psatz List.
Import ListNotations.
From Coquelicot Require Import Rcomplements.
From QjaxProofs Require Import scalar_base.
Open Scope R_scope.

(* p ln(p/q) + (1-p) ln((1-p)/(1-q)), written so that 0 ln 0 = 0. The value means
   relative entropy where that is finite: see `admissible`. *)
Definition term (x y : R) : R := xlnx x - x * ln y.
Definition divergence (p q : R) : R := term p q + term (1 - p) (1 - q).

Definition dominated (x y : R) : Prop := 0 <= x /\ 0 <= y /\ (y = 0 -> x = 0).
Definition admissible (p q : R) : Prop := dominated p q /\ dominated (1 - p) (1 - q).

Lemma dominated_cases : forall x y, dominated x y ->
  (x = 0 /\ 0 <= y) \/ (0 < x /\ 0 < y).
Proof.
  intros x y [[Hx | <-] [Hy H]]; [right | left; split; lra].
  split; [assumption |]. destruct Hy as [Hy | <-]; [assumption |].
  specialize (H eq_refl). lra.
Qed.

Theorem divergence_usual_form : forall p q, 0 < p < 1 -> 0 < q < 1 ->
  divergence p q = p * ln (p / q) + (1 - p) * ln ((1 - p) / (1 - q)).
Proof.
  intros p q Hp Hq. unfold divergence, term, xlnx. rewrite !ln_div by lra. ring.
Qed.

Lemma term_zero : forall y, term 0 y = 0.
Proof. intros. unfold term. rewrite xlnx_0. ring. Qed.

Lemma term_equal : forall x, term x x = 0.
Proof. intros. unfold term, xlnx. ring. Qed.

Lemma term_scaled : forall t x y, 0 <= t -> dominated x y ->
  term (t * x) (t * y) = t * term x y.
Proof.
  intros t x y [Ht | <-] H; [| rewrite Rmult_0_l, term_zero; ring].
  destruct (dominated_cases x y H) as [[-> Hy] | [Hx Hy]].
  { rewrite Rmult_0_r, !term_zero. ring. }
  unfold term, xlnx. rewrite !ln_mult by assumption. ring.
Qed.

Lemma term_above_line : forall x y, dominated x y -> x - y <= term x y.
Proof.
  intros x y H. destruct (dominated_cases x y H) as [[-> Hy] | [Hx Hy]].
  { rewrite term_zero. lra. }
  pose proof (ln_tangent y x Hy Hx) as Ht. unfold term, xlnx.
  assert (x * ((y - x) / x) = y - x) by (field; lra). nra.
Qed.

(* Any line through the origin that touches the cone x ln(x/y). *)
Lemma term_above_ray : forall x y u v, dominated x y -> 0 < u -> 0 < v ->
  x * (ln u - ln v + 1) - y * (u / v) <= term x y.
Proof.
  intros x y u v H Hu Hv.
  destruct (dominated_cases x y H) as [[-> Hy] | [Hx Hy]].
  { rewrite term_zero. assert (0 <= y * (u / v)).
    { apply Rmult_le_pos; [assumption |]. left. apply Rdiv_lt_0_compat; assumption. }
    lra. }
  assert (Hk : 0 < y * (u / v)).
  { apply Rmult_lt_0_compat; [assumption |]. apply Rdiv_lt_0_compat; assumption. }
  pose proof (ln_tangent _ x Hk Hx) as Ht.
  rewrite ln_mult, ln_div in Ht
    by (assumption || apply Rdiv_lt_0_compat; assumption).
  unfold term, xlnx.
  assert (x * ((y * (u / v) - x) / x) = y * (u / v) - x) by (field; lra). nra.
Qed.

Lemma dominated_sum : forall x y u v,
  dominated x y -> dominated u v -> dominated (x + u) (y + v).
Proof.
  intros x y u v [Hx [Hy H]] [Hu [Hv K]]. split; [lra | split; [lra |]].
  intros Hs. rewrite H, K by lra. ring.
Qed.

Lemma dominated_scaled : forall t x y, 0 <= t -> dominated x y ->
  dominated (t * x) (t * y).
Proof.
  intros t x y Ht [Hx [Hy H]]. split; [| split]; try (apply Rmult_le_pos; assumption).
  intros Hs. apply Rmult_integral in Hs as [-> | Hs]; [ring | rewrite (H Hs); ring].
Qed.

(* The log-sum inequality. *)
Theorem log_sum : forall x y u v, dominated x y -> dominated u v ->
  term (x + u) (y + v) <= term x y + term u v.
Proof.
  intros x y u v H K. pose proof (dominated_sum x y u v H K) as S.
  destruct (dominated_cases _ _ S) as [[Hz _] | [Hx Hy]].
  { destruct H as [Hx [_ _]], K as [Hu [_ _]].
    assert (x = 0) as -> by lra. assert (u = 0) as -> by lra.
    rewrite Rplus_0_r, !term_zero. lra. }
  pose proof (term_above_ray x y _ _ H Hx Hy).
  pose proof (term_above_ray u v _ _ K Hx Hy).
  assert (E : term (x + u) (y + v)
    = x * (ln (x + u) - ln (y + v) + 1) - y * ((x + u) / (y + v))
      + (u * (ln (x + u) - ln (y + v) + 1) - v * ((x + u) / (y + v)))).
  { unfold term, xlnx. field. lra. }
  lra.
Qed.

(* Finite averages: a list of (weight, p, q). *)
Definition Weighted : Type := (R * (R * R))%type.
Definition total (g : R -> R -> R) (points : list Weighted) : R :=
  fold_right (fun wpq s => fst wpq * g (fst (snd wpq)) (snd (snd wpq)) + s) 0 points.
Definition good (points : list Weighted) : Prop :=
  Forall (fun wpq => 0 <= fst wpq /\ admissible (fst (snd wpq)) (snd (snd wpq))) points.

Lemma total_dominated : forall points, good points ->
  dominated (total (fun p _ => p) points) (total (fun _ q => q) points) /\
  dominated (total (fun p _ => 1 - p) points) (total (fun _ q => 1 - q) points).
Proof.
  induction points as [| [w [p q]] rest IH]; intros G.
  { simpl. repeat split; lra. }
  inversion G as [| ? ? [Hw [A B]] Hrest]; subst. destruct (IH Hrest) as [C D].
  split; simpl in *; apply dominated_sum; try assumption;
    apply dominated_scaled; assumption.
Qed.

Lemma total_log_sum : forall points, good points ->
  term (total (fun p _ => p) points) (total (fun _ q => q) points)
  + term (total (fun p _ => 1 - p) points) (total (fun _ q => 1 - q) points)
  <= total divergence points.
Proof.
  induction points as [| [w [p q]] rest IH]; intros G.
  { simpl. rewrite !term_zero. lra. }
  inversion G as [| ? ? [Hw [A B]] Hrest]; subst. simpl in Hw, A, B.
  destruct (total_dominated rest Hrest) as [C D]. specialize (IH Hrest). simpl in *.
  pose proof (log_sum _ _ _ _ (dominated_scaled w _ _ Hw A) C).
  pose proof (log_sum _ _ _ _ (dominated_scaled w _ _ Hw B) D).
  rewrite term_scaled in * by assumption. unfold divergence at 1. lra.
Qed.

Lemma total_complement : forall (g : R -> R -> R) points,
  total (fun p q => 1 - g p q) points = total (fun _ _ => 1) points - total g points.
Proof.
  intros g. induction points as [| [w [p q]] rest IH]; simpl; [ring |].
  rewrite IH. ring.
Qed.

(* Joint convexity over blocks, elements and public randomness (step A1.5). *)
Theorem joint_convexity : forall points, good points ->
  total (fun _ _ => 1) points = 1 ->
  divergence (total (fun p _ => p) points) (total (fun _ q => q) points)
    <= total divergence points.
Proof.
  intros points G Hone. pose proof (total_log_sum points G) as H.
  rewrite (total_complement (fun p _ => p)), (total_complement (fun _ q => q)) in H.
  rewrite Hone in H.
  exact H.
Qed.

Theorem divergence_nonnegative : forall p q, admissible p q -> 0 <= divergence p q.
Proof.
  intros p q [A B]. pose proof (term_above_line _ _ A).
  pose proof (term_above_line _ _ B). unfold divergence. lra.
Qed.

Lemma divergence_zero : forall p, divergence p p = 0.
Proof. intros. unfold divergence. rewrite !term_equal. ring. Qed.

Lemma convex_pair : forall t p q p' q', 0 <= t <= 1 ->
  admissible p q -> admissible p' q' ->
  divergence ((1 - t) * p + t * p') ((1 - t) * q + t * q')
    <= (1 - t) * divergence p q + t * divergence p' q'.
Proof.
  intros t p q p' q' Ht A B.
  pose proof (joint_convexity [(1 - t, (p, q)); (t, (p', q'))]) as H.
  unfold good in H. simpl in H. rewrite !Rplus_0_r in H. apply H; [| ring].
  repeat apply Forall_cons; try apply Forall_nil; (split; [simpl; lra | assumption]).
Qed.

(* What the query sees in the mean state: p/b + (1-1/b) a, with w = 1/b. *)
Definition mixed (w p a : R) : R := w * p + (1 - w) * a.
Definition needed (w p a : R) : R := divergence p (mixed w p a).

Lemma mixed_admissible : forall w p a, 0 < w <= 1 -> 0 <= a <= 1 -> 0 <= p <= 1 ->
  admissible p (mixed w p a).
Proof.
  intros w p a Hw Ha Hp. unfold mixed.
  assert (0 <= (1 - w) * a) by (apply Rmult_le_pos; lra).
  assert (0 <= (1 - w) * (1 - a)) by (apply Rmult_le_pos; lra).
  repeat split; try nra.
Qed.

Lemma between : forall x y z, x <= y <= z ->
  exists t, 0 <= t <= 1 /\ y = (1 - t) * x + t * z.
Proof.
  intros x y z H. destruct (Req_dec x z) as [<- | Hn].
  { exists 0. split; lra. }
  exists ((y - x) / (z - x)). split; [| field; lra].
  assert (0 < / (z - x)) by (apply Rinv_0_lt_compat; lra).
  split; [apply Rmult_le_pos; lra |].
  apply Rmult_le_reg_r with (z - x); [lra |].
  unfold Rdiv. rewrite Rmult_assoc, Rinv_l; lra.
Qed.

(* Step A1.7: a lower limit on p may replace p, an upper limit on a may replace a. *)
Theorem needed_increases_with_acceptance : forall w a p p',
  0 < w <= 1 -> 0 <= a -> a <= p <= p' -> p' <= 1 -> needed w p a <= needed w p' a.
Proof.
  intros w a p p' Hw Ha Hp Hp'. destruct (between a p p' Hp) as [t [Ht E]].
  assert (A : admissible a (mixed w a a)) by (apply mixed_admissible; lra).
  assert (B : admissible p' (mixed w p' a)) by (apply mixed_admissible; lra).
  pose proof (convex_pair t _ _ _ _ Ht A B) as H.
  replace ((1 - t) * mixed w a a + t * mixed w p' a) with (mixed w p a) in H
    by (rewrite E; unfold mixed; ring).
  rewrite <- E in H. replace (mixed w a a) with a in H by (unfold mixed; ring).
  rewrite divergence_zero in H. pose proof (divergence_nonnegative _ _ B).
  unfold needed in *. nra.
Qed.

Theorem needed_decreases_with_false_positives : forall w p a a',
  0 < w <= 1 -> 0 <= a -> a <= a' <= p -> p <= 1 -> needed w p a' <= needed w p a.
Proof.
  intros w p a a' Hw Ha Ha' Hp. destruct (between a a' p Ha') as [t [Ht E]].
  assert (A : admissible p (mixed w p a)) by (apply mixed_admissible; lra).
  assert (B : admissible p (mixed w p p)) by (apply mixed_admissible; lra).
  pose proof (convex_pair t _ _ _ _ Ht A B) as H.
  replace ((1 - t) * mixed w p a + t * mixed w p p) with (mixed w p a') in H
    by (rewrite E; unfold mixed; ring).
  replace ((1 - t) * p + t * p) with p in H by ring.
  replace (mixed w p p) with p in H by (unfold mixed; ring).
  rewrite divergence_zero in H. pose proof (divergence_nonnegative _ _ A).
  unfold needed in *. nra.
Qed.

(* Both at once, as the theorem uses it: worst-case alpha and beta. *)
Theorem worst_case_errors : forall w p a alpha beta,
  0 < w <= 1 -> 0 <= a <= alpha -> alpha <= 1 - beta -> 1 - beta <= p <= 1 ->
  needed w (1 - beta) alpha <= needed w p a.
Proof.
  intros w p a alpha beta Hw Ha Hab Hp.
  apply Rle_trans with (needed w p alpha).
  - apply needed_increases_with_acceptance; lra.
  - apply needed_decreases_with_false_positives; lra.
Qed.
